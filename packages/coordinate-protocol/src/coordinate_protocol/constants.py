"""The numbers and names of the wire; `docs/protocol.md` is the text they come from."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = [
    "AVAILABLE",
    "BLOCKED",
    "CLIENT_LEASE",
    "DEFAULT_LEASE",
    "DEFAULT_PORT",
    "DELAYED",
    "DISK_FULL",
    "FAILED",
    "FINISHED",
    "GENERATED",
    "IDLE",
    "MAX_LEASE",
    "MAX_WAIT",
    "MIN_LEASE",
    "NO_SUCH_METHOD",
    "OUTCOME_UNKNOWN",
    "PAUSED",
    "PENDING",
    "PRIORITY",
    "PROTOCOL_VERSION",
    "RUN",
    "RUNNABLE",
    "STANDARD",
    "STATUS_NAMES",
    "TERMINATE",
    "TUPLE_TAG",
    "UUID_TAG",
    "WRAPPED_TAG",
]

# Statuses of a work unit.
AVAILABLE: Final = 1
BLOCKED: Final = 2
PENDING: Final = 3
FINISHED: Final = 4
FAILED: Final = 5
DELAYED: Final = 6

STATUS_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        AVAILABLE: "available",
        BLOCKED: "blocked",
        PENDING: "pending",
        FINISHED: "finished",
        FAILED: "failed",
        DELAYED: "delayed",
    }
)

# Statuses of a work spec.
RUNNABLE: Final = 1
PAUSED: Final = 2

# Priorities of a work unit with a name; any other number is one too, and higher runs first.
GENERATED: Final = -1
STANDARD: Final = 0
PRIORITY: Final = 1

# Modes of a worker.
RUN: Final = "RUN"
IDLE: Final = "IDLE"
TERMINATE: Final = "TERMINATE"

DEFAULT_PORT: Final = 5932

# Leases, in seconds: what a server gives unasked, what a client asks for, and the bounds.
DEFAULT_LEASE: Final = 300
CLIENT_LEASE: Final = 900
MIN_LEASE: Final = 1
MAX_LEASE: Final = 86400

# CBOR tags: 128 is Diffeo's private use, the other two are registered with IANA.
TUPLE_TAG: Final = 128
WRAPPED_TAG: Final = 24
UUID_TAG: Final = 37

# The longest that a call may wait on the server, in seconds.
MAX_WAIT: Final = 86400

PROTOCOL_VERSION: Final = 1

# What an error says that leaves open whether the call was carried out.
OUTCOME_UNKNOWN: Final = "outcome_unknown"

# What an error says when the server's disk has no room for what was asked; nothing was done.
DISK_FULL: Final = "disk_full"

# What a client looks for to learn that a server does not offer a method.
NO_SUCH_METHOD: Final = "No such method"
