"""What all namespaces of one model share: the counters, what is due when, and what has changed."""

import cbor2

from coordinate_server.model.alarms import Alarms, Horizon
from coordinate_server.model.changes import META, PUT, Change
from coordinate_server.model.dependencies import Dependencies
from coordinate_server.model.instant import Instant
from coordinate_server.model.ledger import Ledger
from coordinate_server.model.lock_lanes import Lane, LockLanes, is_reserved
from coordinate_server.model.locks.times import LockTimes
from coordinate_server.model.locks.waits import LockWait, LockWatch
from coordinate_server.model.making import make_due, make_owed
from coordinate_server.model.retention import Retention
from coordinate_server.model.roster import Roster
from coordinate_server.model.rows import ATTEMPT_KEY, CLOCK_KEY, SPEC_ID_KEY
from coordinate_server.model.sessions import Sessions
from coordinate_server.model.settings import ModelSettings
from coordinate_server.model.shelf import CommittedRows, Reader
from coordinate_server.model.shelving import Shelving
from coordinate_server.model.unit import Unit
from coordinate_server.model.workers import Worker, Workers

__all__ = ["Core"]


def _leased(entry: tuple[Roster, Unit], moment: float) -> bool:
    roster, unit = entry
    return unit.deadline == moment and roster.units.get(unit.key) is unit


def _delayed(entry: tuple[Roster, Unit], moment: float) -> bool:
    roster, unit = entry
    return unit.not_before == moment and roster.units.get(unit.key) is unit


def _making(roster: Roster, moment: float) -> bool:
    return roster.maker.next == moment and not roster.gone


def _rated(roster: Roster, moment: float) -> bool:
    log = roster.rate_log
    return log is not None and log.frees() == moment and not roster.gone


def _expiring(entry: tuple[Workers, Worker], moment: float) -> bool:
    workers, worker = entry
    return worker.expiry == moment and workers.by_id.get(worker.worker_id) is worker


class Core:
    """The shared ground.

    Arguments:
        settings: bounds and periods.
        reader: gives the rows of units that have left memory; None where none ever does.
    """

    def __init__(self, settings: ModelSettings, reader: Reader | None = None) -> None:
        self.settings = settings
        self.clock = 0.0
        self.ledger = Ledger()
        self.dependencies = Dependencies(self.ledger)
        self.retention = Retention(self.dependencies)
        committed = None if reader is None else CommittedRows(reader, self.ledger)
        self.shelving = Shelving(committed, settings.ended_kept)
        # Before which nothing is due, by each of the two times.
        self._now, self._wall = now, wall = Horizon(), Horizon()
        self.leases: Alarms[tuple[Roster, Unit]] = Alarms(_leased, now)
        self.delays: Alarms[tuple[Roster, Unit]] = Alarms(_delayed, wall)
        self.makings: Alarms[Roster] = Alarms(_making, wall)
        self.rates: Alarms[Roster] = Alarms(_rated, now)
        self.expiries: Alarms[tuple[Workers, Worker]] = Alarms(_expiring, now)
        self.lock_times = LockTimes(now)
        # Calls that waited for or with locks, and have an outcome that nobody has been told.
        self.settled: list[LockWait | LockWatch] = []
        self.sessions = Sessions(self.ledger, settings.session_replies, settings.session_bytes, now)
        # Specs with a run that was missed and waits for the last one to end.
        self.owing: dict[Roster, None] = {}
        self.reservations: Alarms[tuple[LockLanes, Lane]] = Alarms(is_reserved, now)
        # The moment of the call that goes on.
        self.at = Instant(0.0, 0.0)
        # Units that came in this group of calls, with their specs.
        self.added: list[tuple[Roster, Unit]] = []
        self.attempt = 0
        self.spec_id = 0
        self._written = (0, 0)

    def next_attempt(self) -> int:
        """Give a number larger than any hand-out had before."""
        self.attempt += 1
        return self.attempt

    def next_spec_id(self) -> int:
        """Give an id that no spec ever had."""
        self.spec_id += 1
        return self.spec_id

    def run_due(self, at: Instant) -> None:
        """Let end what has come to its time, and have made what is due."""
        self.at = at
        if self._is_anything_due(at):
            self._run_due(at)
            self._now.look()
            self._wall.look()

    def _is_anything_due(self, at: Instant) -> bool:
        return (
            at.now >= self._now.moment
            or at.wall >= self._wall.moment
            or self.dependencies.waiting
            or bool(self.owing)
        )

    def _run_due(self, at: Instant) -> None:
        # First: a lease that ends frees locks, and who waited for them has them from now on.
        for roster, unit in self.leases.due(at.now):
            roster.expire(unit, at)
        for roster, unit in self.delays.due(at.wall):
            roster.wake(unit, at)
        for roster in self.rates.due(at.now):
            roster.touch()
        self.lock_times.run(at)
        for lanes, lane in self.reservations.due(at.now):
            lanes.give_up(lane)
        for workers, worker in self.expiries.due(at.now):
            workers.forget(worker.worker_id)
        self.dependencies.settle(at)
        for roster in self.makings.due(at.wall):
            make_due(roster, at)
        for roster in list(self.owing):
            if not make_owed(roster, at):
                self.owing.pop(roster, None)
        self.sessions.run_due(at)

    def take_changes(self, at: Instant) -> list[Change]:
        """Give what changed since the last time, with the counters and the clock it happened at."""
        changes = self.ledger.take()
        if not changes:
            return changes
        # Not before, for until here a call may go on with the unit that it has added.
        for roster, unit in self.added:
            roster.units.rest(unit)
        self.added.clear()
        self.clock = max(self.clock, at.now)
        changes.append((PUT, META, CLOCK_KEY, cbor2.dumps(self.clock)))
        attempt, spec_id = self._written
        if self.attempt != attempt:
            changes.append((PUT, META, ATTEMPT_KEY, cbor2.dumps(self.attempt)))
        if self.spec_id != spec_id:
            changes.append((PUT, META, SPEC_ID_KEY, cbor2.dumps(self.spec_id)))
        self._written = (self.attempt, self.spec_id)
        return changes
