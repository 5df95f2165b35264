"""A server for the commands: the real program, on a port of its own choice."""

import subprocess
import sys

import pytest

LISTENING = "listening on "


@pytest.fixture(scope="module")
def address():
    """The address of a coordinated that keeps its data in memory."""
    command = [sys.executable, "-m", "coordinate_server", "--memory"]
    with subprocess.Popen(
        [*command, "--port", "0", "--host", "127.0.0.1"], stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        line = next((line for line in server.stdout if line.startswith(LISTENING)), "")
        assert line, "coordinated did not start"
        yield line.removeprefix(LISTENING).split()[0]
        server.terminate()
        server.communicate(timeout=20)


@pytest.fixture
def coordinate(address, tmp_path, request):
    """Run `coordinate` as a process of its own, in a namespace of the test's own."""
    config = tmp_path / "namespace.yaml"
    config.write_text(f"coordinate: {{namespace: {request.node.name}}}\n")
    program = [sys.executable, "-c", "from coordinate_client.cli import main; main()"]

    def coordinate(*arguments, input=None, code=0):
        command = [*program, "-c", str(config), "--address", address, *arguments]
        ended = subprocess.run(
            command, input=input, capture_output=True, text=True, cwd=tmp_path, check=False
        )
        assert ended.returncode == code, ended.stderr
        return ended.stdout

    return coordinate
