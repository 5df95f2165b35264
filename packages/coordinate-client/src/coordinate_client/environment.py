"""What a worker tells the server about itself."""

import os
from typing import Any

from coordinate_client._version import __version__

__all__ = ["environment"]


def environment(worker_id: str, parent: str | None = None) -> dict[str, Any]:
    """What people need to find a worker, under the keys that 0.1.5's workers use.

    Args:
        worker_id: the worker's name.
        parent: the name of the worker that started it.
    """
    import socket

    host = socket.gethostname()
    return {
        "worker_id": worker_id,
        "parent": parent,
        "host": host,
        "hostname": host,
        "version": __version__,
        "pid": os.getpid(),
    }
