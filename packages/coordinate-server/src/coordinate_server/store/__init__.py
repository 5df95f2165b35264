"""What makes the model durable: one interface, one module for each kind of store."""

from pathlib import Path

from coordinate_server.store.interface import (
    CommitError,
    DamagedStore,
    NotOurFile,
    Row,
    Store,
    StoreBusy,
    StoreError,
    UnknownSchema,
)
from coordinate_server.store.memory import MemoryStore
from coordinate_server.store.sqlite import SqliteStore

__all__ = [
    "CommitError",
    "DamagedStore",
    "MemoryStore",
    "NotOurFile",
    "Row",
    "SqliteStore",
    "Store",
    "StoreBusy",
    "StoreError",
    "UnknownSchema",
    "open_store",
]


def open_store(path: Path | None) -> Store:
    """Open the store that keeps its rows in a file, or the one that keeps them nowhere.

    Args:
        path: the data file, created if there is none in its directory; None for memory.

    Raises:
        StoreError: the file cannot be had: in use, not ours, damaged, newer, or not accessible.
    """
    return MemoryStore() if path is None else SqliteStore(path)
