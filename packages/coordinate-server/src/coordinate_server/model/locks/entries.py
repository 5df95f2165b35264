"""Who has, or waits for, what: one path each."""

from typing import TYPE_CHECKING, Final

from attrs import frozen

from coordinate_server.model.locks.paths import Path

if TYPE_CHECKING:
    from coordinate_server.model.locks.claims import Claim
    from coordinate_server.model.locks.tree import Node
    from coordinate_server.model.locks.waits import LockWatch

__all__ = ["EXCLUSIVE", "HELD", "MODES", "SHARED", "WAITING", "Entry", "Line", "UnitName"]

# Modes: nobody else, or nobody who wants it for himself alone.
EXCLUSIVE: Final = 0
SHARED: Final = 1

MODES: Final = {"exclusive": EXCLUSIVE, "shared": SHARED}

# What an entry does; added to its mode it gives the number of the lines that it stands in.
HELD: Final = 0
WAITING: Final = 2


@frozen
class UnitName:
    """A work unit that needs locks.

    Arguments:
        spec: the name of its spec.
        key: its key.
    """

    spec: str
    key: bytes


class Entry:
    """A path that somebody has locked, or waits for.

    Arguments:
        path: the path.
        mode: EXCLUSIVE or SHARED.
        locker: who; None for a unit that waits, whose worker nobody knows yet.
        unit: the unit whose attempt has it, or that waits for it; None for those who call for it.

    Attributes:
        node: its place in the tree; None for one that is in no tree, or not any more.
        state: HELD or WAITING.
        claim: what it is a part of, while it waits or is a unit's.
        ticket: its place in the order of asking, while it waits.
        token: of the grant that it came by.
        granted_at: when, on ``now``.
        deadline: when it ends, on ``now``; None for never, or for one that has ended.
        count: how often its locker has locked it.
        others: the tokens of those of these times that were another grant, oldest first.
        dependents: the claims that look again when it goes.
        watches: the calls that want to know when it goes.
    """

    __slots__ = (
        "claim",
        "count",
        "deadline",
        "dependents",
        "granted_at",
        "locker",
        "mode",
        "node",
        "others",
        "path",
        "state",
        "ticket",
        "token",
        "unit",
        "watches",
    )

    def __init__(
        self, path: Path, mode: int, locker: str | None, unit: UnitName | None = None
    ) -> None:
        self.path, self.mode, self.locker, self.unit = path, mode, locker, unit
        self.node: Node | None = None
        self.state = WAITING
        self.claim: Claim | None = None
        self.ticket = self.token = 0
        self.granted_at = 0.0
        self.deadline: float | None = None
        self.count = 1
        self.others: list[int] | None = None
        self.dependents: dict[Claim, None] | None = None
        self.watches: dict[LockWatch, None] | None = None

    def suffices(self, mode: int) -> bool:
        """Whether who has this needs no other lock of the path for that mode."""
        return self.mode <= mode

    def is_of(self, token: int | None) -> bool:
        """Whether one of the times that it was locked was that grant; None is any."""
        if token is None or (self.others is not None and token in self.others):
            return True
        return token == self.token and self.count > len(self.others or ())


Line = dict[Entry, None]
"""Entries in the order in which they came.

Where there may be many it is an OrderedDict, of which the first one costs the same however many
before it have gone.
"""
