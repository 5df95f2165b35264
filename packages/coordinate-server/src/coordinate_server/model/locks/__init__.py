"""Locks: a tree of paths, who has them, who waits for them.

============  ==========================================================================
``paths``     what may be a path, and how people read it
``entries``   who has, or waits for, one path
``tree``      where everything is that could be in the way of a path
``holdings``  what is held
``queue``     who waits, in which order, and what for; ``claims`` is what stands in it
``grants``    what one call locks; ``waits`` are calls that wait
``units``     the locks of work units, in the same tree and queue
``deadlocks`` circles of waiters
``table``     the calls
``listing``   lists of locks
``outcomes``  what calls give, and texts for people
``times``     when locks and waits end
``rows``      how locks are written down; ``sets`` are what units need, as it is said and shown
============  ==========================================================================
"""

from coordinate_server.model.locks.entries import EXCLUSIVE, SHARED, UnitName
from coordinate_server.model.locks.outcomes import (
    Denied,
    Granted,
    Link,
    LockView,
    NotHeld,
    SomeGranted,
    WaiterView,
)
from coordinate_server.model.locks.table import Locks
from coordinate_server.model.locks.units import Attempt, UnitClaim
from coordinate_server.model.locks.waits import LockRequest, LockWait, LockWatch

__all__ = [
    "EXCLUSIVE",
    "SHARED",
    "Attempt",
    "Denied",
    "Granted",
    "Link",
    "LockRequest",
    "LockView",
    "LockWait",
    "LockWatch",
    "Locks",
    "NotHeld",
    "SomeGranted",
    "UnitClaim",
    "UnitName",
    "WaiterView",
]
