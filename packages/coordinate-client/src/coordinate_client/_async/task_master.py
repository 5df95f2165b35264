"""TaskMaster: all that can be asked of a server's job queue."""

from coordinate_client._async.dependency_calls import AsyncDependencyCalls
from coordinate_client._async.explain_calls import AsyncExplainCalls
from coordinate_client._async.handout_calls import AsyncHandoutCalls
from coordinate_client._async.watch_calls import AsyncWatchCalls
from coordinate_client._async.worker_calls import AsyncWorkerCalls
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

__all__ = ["AsyncTaskMaster"]


class AsyncTaskMaster(
    AsyncHandoutCalls,
    AsyncDependencyCalls,
    AsyncExplainCalls,
    AsyncWorkerCalls,
    AsyncWatchCalls,
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
