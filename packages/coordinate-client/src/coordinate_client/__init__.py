"""A client of the Coordinate job server: TaskMaster, WorkUnit, LockClient, the errors they raise.

The names that begin with Async import asyncio when they are first used, and not before.
"""

from typing import TYPE_CHECKING, Any

from coordinate_client._sync.grant import Grant
from coordinate_client._sync.lock_client import LockClient
from coordinate_client._sync.rpc import CborRpcClient
from coordinate_client._sync.task_master import TaskMaster
from coordinate_client._sync.work_unit import WorkUnit
from coordinate_client._version import __version__
from coordinate_client.changes import Changes
from coordinate_client.constants import (
    AVAILABLE,
    BLOCKED,
    DELAYED,
    FAILED,
    FINISHED,
    IDLE,
    PAUSED,
    PENDING,
    PRI_GENERATED,
    PRI_PRIORITY,
    PRI_STANDARD,
    RUN,
    RUNNABLE,
    TERMINATE,
)
from coordinate_client.exceptions import (
    Cancelled,
    ClientClosed,
    ConnectionFailed,
    CoordinateException,
    Deadlock,
    InvalidAnswer,
    LeaseLost,
    LockRefused,
    LockTimeout,
    LostLease,
    LostLock,
    NoSuchWorkSpecError,
    NoSuchWorkUnitError,
    OutcomeUnknown,
    ProgrammerError,
    RpcError,
    RunTimeExceeded,
    Unsupported,
)
from coordinate_client.orders import CancelOrder, Orders
from coordinate_client.server import Server
from coordinate_client.updates import UpdateResult

if TYPE_CHECKING:
    from coordinate_client._async.grant import AsyncGrant
    from coordinate_client._async.lock_client import AsyncLockClient
    from coordinate_client._async.rpc import AsyncCborRpcClient
    from coordinate_client._async.task_master import AsyncTaskMaster
    from coordinate_client._async.work_unit import AsyncWorkUnit

__all__ = [
    "AVAILABLE",
    "BLOCKED",
    "DELAYED",
    "FAILED",
    "FINISHED",
    "IDLE",
    "PAUSED",
    "PENDING",
    "PRI_GENERATED",
    "PRI_PRIORITY",
    "PRI_STANDARD",
    "RUN",
    "RUNNABLE",
    "TERMINATE",
    "AsyncCborRpcClient",
    "AsyncGrant",
    "AsyncLockClient",
    "AsyncTaskMaster",
    "AsyncWorkUnit",
    "CancelOrder",
    "Cancelled",
    "CborRpcClient",
    "Changes",
    "ClientClosed",
    "ConnectionFailed",
    "CoordinateException",
    "Deadlock",
    "Grant",
    "InvalidAnswer",
    "LeaseLost",
    "LockClient",
    "LockRefused",
    "LockTimeout",
    "LostLease",
    "LostLock",
    "NoSuchWorkSpecError",
    "NoSuchWorkUnitError",
    "Orders",
    "OutcomeUnknown",
    "ProgrammerError",
    "RpcError",
    "RunTimeExceeded",
    "Server",
    "TaskMaster",
    "Unsupported",
    "UpdateResult",
    "WorkUnit",
    "__version__",
]

_ASYNC = {
    "AsyncCborRpcClient": "coordinate_client._async.rpc",
    "AsyncGrant": "coordinate_client._async.grant",
    "AsyncLockClient": "coordinate_client._async.lock_client",
    "AsyncTaskMaster": "coordinate_client._async.task_master",
    "AsyncWorkUnit": "coordinate_client._async.work_unit",
}


def __getattr__(name: str) -> Any:
    if name not in _ASYNC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_ASYNC[name]), name)
    globals()[name] = value
    return value
