"""A server for the commands: the real program, on a port of its own choice."""

import json
import subprocess
import sys
from contextlib import contextmanager

import pytest

LISTENING = "listening on "
PROGRAM = [sys.executable, "-c", "from coordinate_client.cli import main; main()"]


@contextmanager
def serving():
    """A coordinated that keeps its data in memory: its process and its address."""
    command = [sys.executable, "-m", "coordinate_server", "--memory"]
    with subprocess.Popen(
        [*command, "--port", "0", "--host", "127.0.0.1"], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        line = next((line for line in server.stdout if line.startswith(LISTENING)), "")
        assert line, "coordinated did not start"
        yield server, line.removeprefix(LISTENING).split()[0]
        server.terminate()
        server.communicate(timeout=20)


@pytest.fixture(scope="module")
def address():
    """The address of a server of the module's own."""
    with serving() as (_server, address):
        yield address


@pytest.fixture
def server():
    """The process and the address of a server of the test's own, which may be killed."""
    with serving() as found:
        yield found


@pytest.fixture
def command_line(address, tmp_path, request):
    """How `coordinate` is started, in a namespace of the test's own."""
    config = tmp_path / "namespace.yaml"
    config.write_text(f"coordinate: {{namespace: {json.dumps(request.node.name)}}}\n")
    return [*PROGRAM, "-c", str(config), "--address", address]


@pytest.fixture
def coordinate(command_line, tmp_path):
    """Run `coordinate` as a process of its own; gives what it wrote."""

    def coordinate(*arguments, input=None, code=0):
        ended = subprocess.run(
            [*command_line, *arguments],
            input=input,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        return ended.stdout

    return coordinate


@pytest.fixture
def start(command_line, tmp_path):
    """Start `coordinate`; gives its process, which does not outlive the test."""
    started = []

    def start(*arguments, **options):
        process = subprocess.Popen(
            [*command_line, *arguments],
            text=True,
            cwd=tmp_path,
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
