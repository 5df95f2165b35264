"""The stores under test, each with a way to open it again."""

from collections.abc import Callable, Iterator

import pytest
from attrs import define

from coordinate_server.store import MemoryStore, SqliteStore, Store


@define
class Opened:
    """A store and how to close it and get back what it kept."""

    store: Store
    _again: Callable[[Store], Store]

    def reopen(self) -> Store:
        """What a restart of the server leaves: for the memory store, itself."""
        self.store = self._again(self.store)
        return self.store


def open_memory(path) -> Opened:
    """The memory store, which keeps nothing to open again."""
    return Opened(MemoryStore(), lambda store: store)


def open_sqlite(path, **bounds) -> Opened:
    """The SQLite store on a new file."""

    def again(store: Store) -> Store:
        store.close()
        return SqliteStore(path, **bounds)

    return Opened(SqliteStore(path, **bounds), again)


def open_hurried(path) -> Opened:
    """The SQLite store with a backlog so small that commits write rows all the time."""
    return open_sqlite(path, backlog_rows=3, backlog_bytes=2_000)


OPENERS = {"memory": open_memory, "sqlite": open_sqlite, "sqlite-hurried": open_hurried}


@pytest.fixture(params=list(OPENERS))
def opened(request, tmp_path) -> Iterator[Opened]:
    """Each store in turn, new and empty."""
    opened = OPENERS[request.param](tmp_path / "store.db")
    yield opened
    opened.store.close()


@pytest.fixture
def path(tmp_path):
    """Where a data file may be made."""
    return tmp_path / "store.db"
