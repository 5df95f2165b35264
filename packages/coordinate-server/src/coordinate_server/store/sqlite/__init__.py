"""The store in an SQLite file. Nothing outside this package knows the driver."""

from coordinate_server.store.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
