"""Twins: a unit as the other half of the client has it, for code that is written for that half.

    WorkUnit       -> AsyncWorkUnit   for coroutine functions, in an event loop of their own
    AsyncWorkUnit  -> WorkUnit        for plain functions, in a thread beside the event loop

A twin has the very data of its unit, and a way to the server of its own, which connects when it is
used. A task master with a method `twin` gives that itself.
"""

from typing import TYPE_CHECKING, Any

from coordinate_client import TaskMaster, WorkUnit

if TYPE_CHECKING:
    from coordinate_client import AsyncWorkUnit

__all__ = ["async_twin", "sync_task_master", "sync_twin"]


def async_twin(unit: WorkUnit) -> "AsyncWorkUnit":
    """A unit for coroutine functions; its task master is to be closed in their event loop."""
    from coordinate_client import AsyncTaskMaster, AsyncWorkUnit

    found: Any = _twin_of(unit.taskmaster) or AsyncTaskMaster(unit.taskmaster.config)
    twin = AsyncWorkUnit(found, *_args(unit))
    _alike(unit, twin)
    return twin


def sync_twin(unit: "AsyncWorkUnit", taskmaster: TaskMaster | None = None) -> WorkUnit:
    """A unit for plain functions.

    Args:
        unit: which.
        taskmaster: the way to the server; None for a new one.
    """
    found: Any = taskmaster or sync_task_master(unit)
    twin = WorkUnit(found, *_args(unit))
    _alike(unit, twin)
    return twin


def sync_task_master(unit: "AsyncWorkUnit") -> TaskMaster:
    """A way to the server that a unit came from, for threads."""
    found: TaskMaster = _twin_of(unit.taskmaster) or TaskMaster(unit.taskmaster.config)
    return found


def _twin_of(taskmaster: Any) -> Any:
    make = getattr(taskmaster, "twin", None)
    return None if make is None else make()


def _args(unit: Any) -> tuple[Any, ...]:
    return (
        unit.work_spec_name,
        unit.key,
        unit.data,
        unit.worker_id,
        unit.expires,
        unit.default_lease_time,
        unit.attempt,
    )


def _alike(unit: Any, twin: Any) -> None:
    twin.locks = unit.locks
    # What is known of the spec; it is not fetched for that.
    twin.spec = unit._spec  # noqa: SLF001 - asking for `spec` may be a call
