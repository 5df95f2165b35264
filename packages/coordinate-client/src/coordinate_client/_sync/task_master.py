# Generated from _async/task_master.py by tools/unasync.py: change that file, not this one.
"""TaskMaster: all that can be asked of a server's job queue."""

from coordinate_client._sync.dependency_calls import DependencyCalls
from coordinate_client._sync.explain_calls import ExplainCalls
from coordinate_client._sync.handout_calls import HandoutCalls
from coordinate_client._sync.watch_calls import WatchCalls
from coordinate_client._sync.worker_calls import WorkerCalls
from coordinate_protocol.constants import (
    AVAILABLE,
    BLOCKED,
    FAILED,
    FINISHED,
    IDLE,
    PENDING,
    RUN,
    TERMINATE,
)

__all__ = ["TaskMaster"]


class TaskMaster(
    HandoutCalls,
    DependencyCalls,
    ExplainCalls,
    WorkerCalls,
    WatchCalls,
):
    """A job queue: its work specs, work units and workers.

    Where the server answers with a value and a message for people, methods return the value and
    log the message (logger `coordinate_client`). Every method can raise what `_rpc` raises.
    """

    RUN = RUN
    IDLE = IDLE
    TERMINATE = TERMINATE

    AVAILABLE = AVAILABLE
    BLOCKED = BLOCKED
    PENDING = PENDING
    FINISHED = FINISHED
    FAILED = FAILED

    @property
    def default_lifetime(self) -> float:
        """Seconds of the lease that `get_work` asks for."""
        return self.settings.default_lifetime
