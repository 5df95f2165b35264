"""The pure state machine of the server: times in, results and changes out, no I/O."""

from coordinate_server.model.calls import (
    HandOut,
    HeldUnit,
    NewUnit,
    UnitUpdate,
    UnitView,
    WorkerView,
    WorkRequest,
)
from coordinate_server.model.instant import Instant
from coordinate_server.model.model import Deadline, Model
from coordinate_server.model.namespace import Namespace
from coordinate_server.model.settings import ModelSettings
from coordinate_server.model.spec import Spec

__all__ = [
    "Deadline",
    "HandOut",
    "HeldUnit",
    "Instant",
    "Model",
    "ModelSettings",
    "Namespace",
    "NewUnit",
    "Spec",
    "UnitUpdate",
    "UnitView",
    "WorkRequest",
    "WorkerView",
]
