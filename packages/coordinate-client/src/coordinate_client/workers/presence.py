"""What a worker's heartbeats say: where it is, what it is, what it runs."""

import os
from collections.abc import Iterable
from typing import Any

from coordinate_client.environment import environment
from coordinate_client.workers.board import Running
from coordinate_client.workers.machine import GIB, available_gb, resident_bytes

__all__ = ["packages", "presence", "running_shown"]


def presence(worker_id: str, parent: str | None, *, wants_packages: bool = False) -> dict[str, Any]:
    """What is told of this process and its machine.

    Args:
        worker_id: the worker.
        parent: who started it, or None.
        wants_packages: whether to say what is installed.
    """
    said = environment(worker_id, parent) | {"fqdn": _full_name(), "ipaddrs": _addresses()}
    memory = resident_bytes(os.getpid())
    if memory is not None:
        said["memory"] = memory
    if (free := available_gb()) is not None:
        said["available_gb"] = round(free, 3)
        said["available_memory"] = int(free * GIB)
    return said | ({"packages": packages()} if wants_packages else {})


def _full_name() -> str:
    import socket

    return socket.getfqdn()


def _addresses() -> list[str]:
    """The addresses of the machine, as its own name says, or its interfaces where psutil is."""
    import socket

    try:
        import psutil
    except ImportError:
        return _named_addresses()
    found = {
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family in {socket.AF_INET, socket.AF_INET6}
    }
    return sorted(found)


def _named_addresses() -> list[str]:
    import socket

    try:
        return sorted({str(one[4][0]) for one in socket.getaddrinfo(socket.gethostname(), None)})
    except OSError:
        return []


def packages() -> dict[str, str]:
    """The version of each installed distribution."""
    from importlib.metadata import distributions

    found = {one.metadata["Name"]: one.version for one in distributions()}
    return {name: found[name] for name in sorted(found, key=str) if name}


def running_shown(running: Iterable[tuple[str, Running]]) -> list[dict[str, Any]]:
    """Units that run, as heartbeats say them.

    Args:
        running: the worker of each, and the unit.
    """
    return [
        {
            "worker_id": worker_id,
            "work_spec_name": unit.work_spec_name,
            "work_unit_key": unit.key,
            "since": unit.began,
        }
        | ({} if unit.attempt is None else {"attempt": unit.attempt})
        | ({} if unit.progress is None else {"progress": unit.progress})
        for worker_id, unit in running
    ]
