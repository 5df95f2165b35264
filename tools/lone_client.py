"""Check that the client is enough by itself: for a Python with only coordinate-client installed.

python lone_client.py COORDINATED     COORDINATED: the server's script, in another environment
"""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import coordinate
from coordinate_client import TaskMaster

EXPECTED = {"attrs", "cbor2", "coordinate-client", "coordinate-protocol"}
PATIENCE = 30  # seconds for the server to start, and to stop


def check_distributions() -> None:
    """The client brings three others, and nothing else."""
    found = {distribution.name.replace("_", "-") for distribution in distributions()}
    if found != EXPECTED:
        sys.exit(f"lone_client: expected {sorted(EXPECTED)}, found {sorted(found)}")


def check_shim() -> None:
    """Programs written against 0.1.5 find the same class under the name they know."""
    if coordinate.TaskMaster is not TaskMaster:
        sys.exit("lone_client: coordinate.TaskMaster is not coordinate_client's")


def free_port() -> int:
    """A port of localhost that nobody listens on."""
    with socket.create_server(("localhost", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    """Return when the server answers on its port."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
        except OSError as error:
            if server.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"lone_client: the server does not answer on port {port}: {error}")
            time.sleep(0.05)
        else:
            return


@contextlib.contextmanager
def running(coordinated: str) -> Iterator[str]:
    """A server in memory, its address; it has to stop cleanly when asked to."""
    port = free_port()
    command = [coordinated, "--memory", "--host", "localhost", "--port", str(port)]
    server = subprocess.Popen(command)
    try:
        wait_for(server, port)
        yield f"localhost:{port}"
        server.send_signal(signal.SIGTERM)
        status = server.wait(PATIENCE)
    finally:
        server.kill()
        server.wait()
    if status:
        sys.exit(f"lone_client: the server ended with {status} after SIGTERM, not 0")


def use(address: str) -> None:
    """Give the server work, and do it."""
    master = TaskMaster({"address": address})
    units = {f"unit-{number}": {"n": number} for number in range(10)}
    master.update_bundle({"name": "squares", "min_gb": 1}, units)
    while unit := master.get_work("lone-client", available_gb=4):
        unit.data["square"] = unit.data["n"] ** 2
        unit.finish()
    status = master.status("squares")
    if status["num_finished"] != len(units):
        sys.exit(f"lone_client: {len(units)} units should have finished: {status}")


def main(coordinated: str) -> None:
    """Check what is installed, then that it works."""
    check_distributions()
    check_shim()
    with running(str(Path(coordinated).absolute())) as address:
        use(address)
    print("lone_client: four distributions, and TaskMaster works with them")


if __name__ == "__main__":
    main(sys.argv[1])
