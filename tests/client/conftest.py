"""A server for the tests of the client: the real program, on a port of its own choice."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

LISTENING = re.compile(r"127\.0\.0\.1:(\d+)")


@pytest.fixture(scope="module")
def address():
    """The address of a coordinated that keeps its data in memory."""
    program = Path(sys.executable).with_name("coordinated")
    command = [str(program), "--memory", "--port", "0", "--host", "127.0.0.1"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        assert server.stdout is not None
        said = []
        for line in server.stdout:
            said.append(line)
            if match := LISTENING.search(line):
                break
        else:
            pytest.fail("coordinated did not start: " + "".join(said))
        yield f"127.0.0.1:{match[1]}"
        server.terminate()
        server.communicate(timeout=20)


@pytest.fixture
def namespace(request):
    """A namespace that no other test uses."""
    return request.node.name
