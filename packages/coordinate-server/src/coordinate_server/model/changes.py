"""The changes that make a call durable, as plain tuples: what the model tells a store."""

from typing import Final

__all__ = [
    "AREA",
    "ASKED",
    "ATTEMPT",
    "DATA",
    "DELETE",
    "DROP",
    "EDGE",
    "LOCK",
    "META",
    "PUT",
    "RATE",
    "REPLY",
    "SPEC",
    "TABLES",
    "UNIT",
    "WORKER",
    "Change",
    "Row",
]

# What is done: one row is written, one row goes, or all rows go whose key begins with the key.
PUT: Final = 0
DELETE: Final = 1
DROP: Final = 2

# Tables. The numbers are in every file that was ever written, so they never change.
META: Final = 0
SPEC: Final = 1
UNIT: Final = 2
DATA: Final = 3
WORKER: Final = 4
AREA: Final = 5
LOCK: Final = 6
REPLY: Final = 7
ATTEMPT: Final = 8
EDGE: Final = 9
RATE: Final = 10
ASKED: Final = 11

TABLES: Final = {
    META: "meta",
    SPEC: "spec",
    UNIT: "unit",
    DATA: "data",
    WORKER: "worker",
    AREA: "area",
    LOCK: "lock",
    REPLY: "reply",
    ATTEMPT: "attempt",
    EDGE: "edge",
    RATE: "rate",
    ASKED: "asked",
}

Change = tuple[int, int, bytes, bytes]
"""What is done, table, key, value; the value is empty unless it is a PUT."""

Row = tuple[int, bytes, bytes]
"""Table, key, value."""
