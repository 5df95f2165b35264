"""What a store offers, and how it fails.

A store knows records and rows, not rules: it keeps what the model's changes say, and hands it back.
All stores pass one suite of tests, ``tests/store/contract.py``.

Errors::

    StoreError            it cannot be opened, read, or used any more
    ├── NotOurFile        the file holds something else; it is left as it is
    ├── StoreBusy         another process has it open
    ├── DamagedStore      what is in it is not what was written
    ├── UnknownSchema     a newer version of the server wrote it
    └── CommitError       whether the changes are durable is unknown
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from attrs import frozen

from coordinate_server.model.changes import Change, Row

__all__ = [
    "CommitError",
    "DamagedStore",
    "NotOurFile",
    "Row",
    "Shortage",
    "Store",
    "StoreBusy",
    "StoreError",
    "UnknownSchema",
]


class StoreError(Exception):
    """The store cannot do what it is asked; the message is one line for a person."""


class NotOurFile(StoreError):
    """The file holds something that is not a store's; nothing in it was touched."""


class StoreBusy(StoreError):
    """Another process has the file open."""


class DamagedStore(StoreError):
    """What was read is not what was written, so none of it is used."""


class UnknownSchema(StoreError):
    """A newer version wrote the file; what this one would lose by writing to it is unknown."""


class CommitError(StoreError):
    """Whether the changes are durable is unknown; the store takes no further call but ``close``.

    The caller acknowledges nothing more and stops. Opening the store again tells what happened.
    """


@frozen
class Shortage:
    """Too little room for what is to be kept.

    Arguments:
        text: one line for a person.
        dire: whether only what makes room may be committed; otherwise all but new work.
    """

    text: str
    dire: bool


class Store(Protocol):
    """Rows, each a key and a value in a numbered table, that are changed in atomic groups.

    A store belongs to the thread that opened it. Every method but ``close`` raises StoreError once
    the store is closed, or stopped after a failed commit.
    """

    @property
    def backlog(self) -> int:
        """How many changed rows are durable in the journal only; a waiting DROP counts as one."""

    @property
    def shortage(self) -> Shortage | None:
        """What there is too little of, as of the last commit or `look`; None for nothing."""

    def look(self) -> None:
        """See how much room there is, which others may have taken or made.

        Raises:
            StoreError: it cannot be known.
        """

    def load(self) -> Iterator[Row]:
        """Everything that is committed, by table and then by key, read as the caller goes on.

        The caller commits and settles nothing before it has reached the end.

        Raises:
            DamagedStore: the rows cannot be read.
        """

    def pages(self, table: int) -> Iterator[Sequence[tuple[bytes, bytes]]]:
        """The committed rows of one table as ``(key, value)``, in the order of their keys.

        No page is empty.

        As with ``load``, nothing is committed or settled before the end. Many rows at once cost
        less than one by one, which a start with millions of them notices.

        Raises:
            DamagedStore: the rows cannot be read.
        """

    def commit(self, changes: Sequence[Change]) -> None:
        """Apply the changes in their order, all or none; they are durable when this returns.

        Args:
            changes: ``(op, table, key, value)`` each; no changes at all cost nothing.

        Raises:
            CommitError: the outcome is unknown, and the store has stopped.
            StoreError: a change names an operation or a table that there is not; nothing was done.
        """

    def settle(self, rows: int) -> int:
        """Write some of the backlog to its place, and drop the part of the journal before the rest.

        Args:
            rows: the most to write, at least 1. Fewer are written where they are large, so the
                way to settle everything is to go on until nothing is left.

        Returns:
            How many are left.

        Raises:
            CommitError: writing failed, and the store has stopped.
        """

    def get(self, table: int, key: bytes) -> bytes | None:
        """The committed value of one row, or None if there is no such row."""

    def scan(
        self, table: int, prefix: bytes = b"", after: bytes | None = None, limit: int = 1000
    ) -> list[tuple[bytes, bytes]]:
        """One page of committed rows, in the order of their keys.

        Args:
            table: the number of the table.
            prefix: what the keys begin with.
            after: where the page before ended: only greater keys are of interest.
            limit: the most rows to return. A page with fewer is the last.

        Returns:
            ``(key, value)`` each.
        """

    def close(self) -> None:
        """Let go of the store; what is committed stays. Closing twice is the same as once."""
