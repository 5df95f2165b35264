"""The whole state: namespaces, and what they share."""

from collections.abc import Iterable
from typing import Self

from attrs import frozen

from coordinate_server.model.changes import Change, Row
from coordinate_server.model.core import Core
from coordinate_server.model.instant import Instant
from coordinate_server.model.loading import load, pages_of
from coordinate_server.model.locks import LockWait, LockWatch
from coordinate_server.model.namespace import Namespace
from coordinate_server.model.sessions import Sessions
from coordinate_server.model.settings import ModelSettings
from coordinate_server.model.shelf import Reader
from coordinate_server.model.unit_loading import Pages

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
        reader: gives the rows that are committed, so that units may leave memory that ended long
            ago; None where all stay. The changes of ``take_changes`` have to be committed before
            the next call.
    """

    def __init__(self, settings: ModelSettings | None = None, reader: Reader | None = None) -> None:
        self._core = Core(settings or ModelSettings(), reader)
        self._namespaces: dict[str, Namespace] = {}

    @classmethod
    def load(
        cls,
        rows: Iterable[Row],
        at: Instant,
        settings: ModelSettings | None = None,
        reader: Reader | None = None,
    ) -> Self:
        """Rebuild the state from what a store holds.

        Arguments:
            rows: table, key and value of everything, in any order.
            at: the moment.
            settings: bounds and periods.
            reader: as the model itself takes it.

        Raises:
            DamagedRow: a row does not hold what was written to it.
        """
        return cls.load_pages(pages_of(rows), at, settings, reader)

    @classmethod
    def load_pages(
        cls,
        pages: Pages,
        at: Instant,
        settings: ModelSettings | None = None,
        reader: Reader | None = None,
    ) -> Self:
        """Do as ``load``, from rows by table and in the order of their keys."""
        model = cls(settings, reader)
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

    def shelve(self, most: int) -> bool:
        """Have some of the units leave memory that ended long ago; a call finds them as before.

        Arguments:
            most: how many to look at, besides a hundredth of those that are to leave.

        Returns:
            Whether there is more to do; the next call goes on with it.
        """
        return self._core.shelving.step(most)

    @property
    def failure(self) -> Exception | None:
        """Why a row could not be read when a call needed it; nothing may be committed any more."""
        committed = self._core.shelving.committed
        return None if committed is None else committed.failure


def _earliest(moments: Iterable[float | None]) -> float | None:
    return min((moment for moment in moments if moment is not None), default=None)
