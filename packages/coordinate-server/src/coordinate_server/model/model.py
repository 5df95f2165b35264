"""The whole state: namespaces, and what they share."""

from collections.abc import Iterable
from typing import Self

from attrs import frozen

from coordinate_server.model.changes import Change, Row
from coordinate_server.model.core import Core
from coordinate_server.model.instant import Instant
from coordinate_server.model.loading import Pages, load, pages_of
from coordinate_server.model.locks import LockWait, LockWatch
from coordinate_server.model.namespace import Namespace
from coordinate_server.model.sessions import Sessions
from coordinate_server.model.settings import ModelSettings

__all__ = ["Deadline", "Model"]


@frozen
class Deadline:
    """When something is due next.

    Arguments:
        now: on the clock ``now``; None for nothing.
        wall: on the clock ``wall``; None for nothing.
    """

    now: float | None
    wall: float | None


class Model:
    """The state machine: the same calls give the same state and the same changes.

    Arguments:
        settings: bounds and periods.
    """

    def __init__(self, settings: ModelSettings | None = None) -> None:
        self._core = Core(settings or ModelSettings())
        self._namespaces: dict[str, Namespace] = {}

    @classmethod
    def load(cls, rows: Iterable[Row], at: Instant, settings: ModelSettings | None = None) -> Self:
        """Rebuild the state from what a store holds.

        Arguments:
            rows: table, key and value of everything, in any order.
            at: the moment.
            settings: bounds and periods.

        Raises:
            DamagedRow: a row does not hold what was written to it.
        """
        return cls.load_pages(pages_of(rows), at, settings)

    @classmethod
    def load_pages(cls, pages: Pages, at: Instant, settings: ModelSettings | None = None) -> Self:
        """Do as ``load``, from rows by table and in the order of their keys."""
        model = cls(settings)
        load(model._core, model.namespace, pages, at)
        return model

    @property
    def clock(self) -> float:
        """The last ``now`` that went with changes, or that was loaded; time goes on from there."""
        return self._core.clock

    def namespace(self, name: str) -> Namespace:
        """Give a namespace; one that is not there yet begins empty."""
        namespace = self._namespaces.get(name)
        if namespace is None:
            namespace = self._namespaces[name] = Namespace(self._core, name)
        return namespace

    def take_changes(self, at: Instant) -> list[Change]:
        """Give what must be committed for all calls since the last time; [] if nothing changed."""
        return self._core.take_changes(at)

    def take_settled(self) -> list[LockWait | LockWatch]:
        """Give the calls that waited for or with locks, and ended since the last time."""
        settled = self._core.settled[:]
        self._core.settled.clear()
        return settled

    def next_deadline(self) -> Deadline:
        """Give when ``run_due`` would do something next; the clock's own moment is at once."""
        core = self._core
        if core.dependencies.waiting:
            return Deadline(core.clock, None)
        nows = [core.leases.first(), core.expiries.first(), core.rates.first()]
        nows += [core.lock_times.first(), core.reservations.first()]
        walls = [core.delays.first(), core.makings.first()]
        return Deadline(_earliest(nows), _earliest(walls))

    @property
    def sessions(self) -> Sessions:
        """What was answered to clients that may ask again."""
        return self._core.sessions

    @property
    def unit_count(self) -> int:
        """How many units there are in memory."""
        return sum(namespace.unit_count for namespace in self._namespaces.values())

    @property
    def has_more_due(self) -> bool:
        """Whether ``run_due`` has left something for the next time, so as not to take long."""
        return self._core.dependencies.waiting

    def run_due(self, at: Instant) -> None:
        """Let leases, delays and workers end whose time has come."""
        self._core.run_due(at)

    def retain(self, at: Instant, most: int) -> bool:
        """Forget some of the ended units that are beyond their specs' limits.

        Arguments:
            at: the moment.
            most: how much to do at most, in units that go and specs that are looked at.

        Returns:
            Whether there may be more to do; the next call goes on with it.
        """
        self._core.run_due(at)
        return self._core.retention.step(at, most)


def _earliest(moments: Iterable[float | None]) -> float | None:
    return min((moment for moment in moments if moment is not None), default=None)
