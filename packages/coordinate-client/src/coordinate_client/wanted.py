"""What a worker can do, before it is sent: how much memory it has, which specs and runtimes."""

from collections.abc import Iterable
from typing import Any

from attrs import define

from coordinate_client.server import Server, can, check_options
from coordinate_client.units import as_keys, check_lease
from coordinate_client.waits import Wait

__all__ = ["WantedWork", "suitable", "whole"]


@define
class WantedWork:
    """The work that a worker asks for.

    Args:
        worker_id: who asks.
        lease: seconds.
        most: how many units at most.
        options: all of it, as every server takes it.
    """

    worker_id: str
    lease: float
    most: int
    options: dict[str, Any]

    @classmethod
    def of(
        cls, worker_id: str, lease_time: float, max_jobs: int | None, able: dict[str, Any]
    ) -> "WantedWork":
        """Check what a caller gives.

        Args:
            worker_id: who asks.
            lease_time: seconds, at most a day.
            max_jobs: how many units at most; None for one.
            able: what `suitable` gives.

        Raises:
            ProgrammerError: for a lease that no server gives.
            ValueError: for a number of jobs that is not a number.
        """
        lease = check_lease(lease_time)
        most = 1 if max_jobs is None else whole("max_jobs", max_jobs)
        return cls(worker_id, lease, most, {"max_jobs": most, "lease_time": lease} | able)

    def params(self, server: Server | None, wait: Wait | None = None) -> list[Any]:
        """The parameters of `get_work`.

        Args:
            server: who is asked; one that numbers its hand-outs is asked for the numbers.
            wait: the time for which a server that can is asked to wait.

        Raises:
            Unsupported: for an option that the server does not know.
        """
        check_options("get_work", self.options, server)
        more: dict[str, Any] = {"attempts": True} if can(server, "tokens") else {}
        if wait is not None and can(server, "wait"):
            more["wait"] = wait.part
        return [self.worker_id, self.options | more]

    @property
    def following(self) -> dict[str, Any]:
        """What `update_work_units` takes to hand out the next units."""
        return {"worker_id": self.worker_id, **self.options}


def suitable(
    available_gb: float | None,
    work_spec_names: Iterable[str] | None,
    runtimes: Iterable[str] | None,
) -> dict[str, Any]:
    """The options that say what work a worker can do.

    Args:
        available_gb: memory there is, or None.
        work_spec_names: one or several, or None for all.
        runtimes: one or several, or None for all.

    Raises:
        ValueError: for a memory that is not a number.
    """
    options: dict[str, Any] = {}
    if work_spec_names is not None:
        options["work_spec_names"] = as_keys(work_spec_names)
    if available_gb is not None:
        options["available_gb"] = _quantity("available_gb", available_gb)
    if runtimes is not None:
        options["runtimes"] = as_keys(runtimes)
    return options


def whole(name: str, value: Any) -> int:
    """A whole number.

    Args:
        name: what it is, for the error.
        value: what was given.

    Raises:
        ValueError: for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"{name} {value!r} must be a whole number")
    return value


def _quantity(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{name} {value!r} must be a number")
    return value
