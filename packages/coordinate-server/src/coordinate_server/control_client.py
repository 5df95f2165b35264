"""Asking a server that runs on this machine for a backup, through its control socket."""

import json
import socket
from pathlib import Path
from typing import Any

from coordinate_server.control_socket import address, control_path
from coordinate_server.store.interface import StoreError

__all__ = ["NoServer", "backup_by_server"]


class NoServer(Exception):
    """Nobody listens beside the data file."""


def backup_by_server(data: Path, dest: Path) -> tuple[int, int]:
    """Have the server that uses a data file copy it.

    Arguments:
        data: the data file.
        dest: where the copy is to be, an absolute path; the server writes it.

    Returns:
        The size of the copy in bytes, and how many units it has rows of.

    Raises:
        NoServer: none runs, as far as its socket tells.
        StoreError: the server could not make the copy.
    """
    path = control_path(data)
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            with address(path) as where:
                connection.connect(where)
        except (FileNotFoundError, ConnectionRefusedError) as error:
            raise NoServer from error
        except OSError as error:
            raise StoreError(f"cannot reach the server at {str(path)!r}: {error}") from error
        return _ask(connection, path, dest)


def _ask(connection: socket.socket, path: Path, dest: Path) -> tuple[int, int]:
    gone = StoreError(f"the server at {str(path)!r} ended before the backup did: try again")
    request = json.dumps({"command": "backup", "to": str(dest)})
    try:
        connection.sendall(request.encode() + b"\n")
        with connection.makefile("rb") as lines:
            answer = _last(lines.readlines())
    except (OSError, ValueError) as error:
        raise gone from error
    if "error" in answer:
        raise StoreError(str(answer["error"]))
    if "size" not in answer or "units" not in answer:
        raise gone
    return int(answer["size"]), int(answer["units"])


def _last(lines: list[bytes]) -> dict[str, Any]:
    answer = json.loads(lines[-1]) if lines else {}
    return answer if isinstance(answer, dict) else {}
