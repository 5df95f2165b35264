"""The numbers and names that callers use: the protocol's, and those that 0.1.5 had for them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from coordinate_protocol.constants import (
    AVAILABLE,
    BLOCKED,
    CLIENT_LEASE,
    DEFAULT_LEASE,
    DEFAULT_PORT,
    DELAYED,
    FAILED,
    FINISHED,
    IDLE,
    MAX_LEASE,
    MIN_LEASE,
    PAUSED,
    PENDING,
    RUN,
    RUNNABLE,
    STATUS_NAMES,
    TERMINATE,
)
from coordinate_protocol.constants import GENERATED as PRI_GENERATED
from coordinate_protocol.constants import PRIORITY as PRI_PRIORITY
from coordinate_protocol.constants import STANDARD as PRI_STANDARD

__all__ = [
    "AVAILABLE",
    "BLOCKED",
    "CLIENT_LEASE",
    "DEFAULT_LEASE_SECONDS",
    "DEFAULT_PORT",
    "DELAYED",
    "FAILED",
    "FINISHED",
    "IDLE",
    "MAX_LEASE_SECONDS",
    "MIN_LEASE_SECONDS",
    "PAUSED",
    "PENDING",
    "PRI_GENERATED",
    "PRI_PRIORITY",
    "PRI_STANDARD",
    "RUN",
    "RUNNABLE",
    "STATUS_NAMES",
    "TERMINATE",
    "WORK_SPEC_STATUS_BY_NAME",
    "WORK_SPEC_STATUS_NAMES_BY_NUMBER",
    "WORK_UNIT_STATUS_BY_NAME",
    "WORK_UNIT_STATUS_NAMES_BY_NUMBER",
]

DEFAULT_LEASE_SECONDS: Final = DEFAULT_LEASE
MAX_LEASE_SECONDS: Final = MAX_LEASE
MIN_LEASE_SECONDS: Final = MIN_LEASE

WORK_UNIT_STATUS_NAMES_BY_NUMBER: Final[Mapping[int, str]] = MappingProxyType(
    {number: name.upper() for number, name in STATUS_NAMES.items()}
)
WORK_UNIT_STATUS_BY_NAME: Final[Mapping[str, int]] = MappingProxyType(
    {name: number for number, name in WORK_UNIT_STATUS_NAMES_BY_NUMBER.items()}
)
WORK_SPEC_STATUS_NAMES_BY_NUMBER: Final[Mapping[int, str]] = MappingProxyType(
    {RUNNABLE: "RUNNABLE", PAUSED: "PAUSED"}
)
WORK_SPEC_STATUS_BY_NAME: Final[Mapping[str, int]] = MappingProxyType(
    {name: number for number, name in WORK_SPEC_STATUS_NAMES_BY_NUMBER.items()}
)
