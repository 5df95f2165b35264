"""Why something does not run: the scheduler's own checks, asked one after another and told.

Nothing here decides; what keeps a spec from handing out is asked of ``gates``, what a request does
not accept of ``scheduler.misfits``, and who goes first of the very ``View`` that hands out.
"""

from collections.abc import Iterable, Mapping

from coordinate_protocol.constants import (
    AVAILABLE,
    BLOCKED,
    DELAYED,
    FAILED,
    FINISHED,
    PENDING,
    STATUS_NAMES,
)
from coordinate_server.model.calls import (
    SpecExplanation,
    SpecPlace,
    UnitExplanation,
    WorkerExplanation,
    WorkRequest,
)
from coordinate_server.model.dependencies import Dependencies
from coordinate_server.model.gates import GATES, LOCKED, limit_reasons
from coordinate_server.model.instant import Instant
from coordinate_server.model.keys import key_text
from coordinate_server.model.lanes import LaneQueue
from coordinate_server.model.locks.paths import path_value
from coordinate_server.model.reasons import Reason, are, units
from coordinate_server.model.roster import Roster
from coordinate_server.model.scheduler import Scheduler, misfits
from coordinate_server.model.unit import Unit
from coordinate_server.model.view import View
from coordinate_server.model.workers import Workers

__all__ = ["Explainer"]

_ANYTHING = WorkRequest()
_NEEDS_TOLD = 10
_MOST_AHEAD = 10_000


class Explainer:
    """Explains units, specs and workers of one namespace at one moment.

    Arguments:
        rosters: the specs by name.
        scheduler: what hands out.
        dependencies: who needs whom.
        workers: who is there, and what is asked of them.
        at: the moment.
    """

    def __init__(
        self,
        rosters: Mapping[str, Roster],
        scheduler: Scheduler,
        dependencies: Dependencies,
        workers: Workers,
        at: Instant,
    ) -> None:
        self._rosters, self._scheduler = rosters, scheduler
        self._dependencies, self._at = dependencies, at
        self._workers = workers

    # ---- units ----

    def unit(self, roster: Roster, unit: Unit) -> UnitExplanation:
        """Tell why a unit does not run, or that it does."""
        reasons = self._of_unit(unit)
        if unit.status == AVAILABLE:
            reasons += self._lane(roster, unit)
            reasons += self._lock(roster, unit)
            reasons += self.spec_reasons(roster)
            ahead = roster.ready.ahead(unit, _MOST_AHEAD)
            if ahead:
                more = "at least " if ahead == _MOST_AHEAD else ""
                text = f"{more}{units(ahead)} of its work spec {are(ahead)} ahead of it"
                reasons.append(Reason("ahead", text, {"number": ahead}))
            if not reasons:
                reasons.append(Reason("runs_next", "it is handed out to the next who asks"))
        return UnitExplanation(unit.status, reasons[0].text, tuple(reasons))

    def _of_unit(self, unit: Unit) -> list[Reason]:
        if unit.status == PENDING:
            left = (unit.deadline or 0) - self._at.now
            who = "somebody" if unit.worker_id is None else repr(unit.worker_id)
            text = f"it is running: {who} has it for another {left:.0f} s"
            if unit.history and unit.history.cancel:
                text += f", and is to end it: {unit.history.cancel}"
            details = {"worker_id": unit.worker_id, "expires": self._at.wall + left}
            return [Reason("pending", text, details)]
        if unit.status in (FINISHED, FAILED):
            return [self._ended(unit)]
        if unit.status == BLOCKED:
            return [self._blocked(unit)]
        if unit.status == DELAYED:
            moment = unit.not_before or 0
            text = f"it may not run for another {moment - self._at.wall:.1f} s"
            if unit.history and unit.history.failures:
                text += f" (it failed {unit.history.failures} times and is tried again)"
            return [Reason("delayed", text, {"not_before": moment})]
        return []

    def _ended(self, unit: Unit) -> Reason:
        history = unit.history
        if history and history.culprit:
            text = f"it failed: {history.reason}"
            return Reason("failed_dependency", text, {"culprit": history.culprit})
        why = f": {history.reason}" if history and history.reason else ""
        by = f", by {unit.worker_id!r}" if unit.worker_id else ""
        text = f"it has {STATUS_NAMES[unit.status]}{by}{why}"
        return Reason("ended", text, {"worker_id": unit.worker_id, "at": unit.ended})

    def _blocked(self, unit: Unit) -> Reason:
        needs, _, unmet = self._dependencies.needs(unit)
        if not unmet:
            return Reason("blocked", "somebody has blocked it", {"unmet": 0})
        waiting = [need for need in needs if need.status not in (FINISHED, FAILED)]
        told = [
            {
                "work_spec_name": need.spec,
                "work_unit_key": need.key,
                "status": need.status,
                "hard": need.hard,
            }
            for need in waiting[:_NEEDS_TOLD]
        ]
        names = ", ".join(f"{key_text(n.key)} of {n.spec!r}" for n in waiting[:3])
        text = f"it waits for {units(unmet)}: {names}" + (", ..." if unmet > 3 else "")  # noqa: PLR2004 - as many as are named
        return Reason("blocked", text, {"unmet": unmet, "on": told})

    def _lane(self, roster: Roster, unit: Unit) -> list[Reason]:
        ready = roster.ready
        full = ready.full_lane(unit) if isinstance(ready, LaneQueue) else None
        if full is None:
            return []
        value, holders = full
        keys = [holder.key for holder in holders[:_NEEDS_TOLD]]
        number = len(holders)
        text = f"{units(number)} {are(number)} pending with {value!r:.80}, as it has"
        return [Reason("serial", text, {"value": value, "holders": keys})]

    def _lock(self, roster: Roster, unit: Unit) -> list[Reason]:
        denied = roster.locks.in_the_way(unit)
        if denied is None:
            return []
        details = {} if denied.path is None else {"path": path_value(denied.path)}
        text = f"it needs locks: {denied.text}"
        return [Reason("lock", text, details | {"locker_id": denied.holder})]

    # ---- specs ----

    def spec(self, roster: Roster) -> SpecExplanation:
        """Tell why a spec hands out nothing, or when it is its turn."""
        reasons = self.spec_reasons(roster)
        if not reasons:
            reasons.append(Reason("runs_next", "its best unit goes to the next who asks"))
        return SpecExplanation(reasons[0].text, self._counts(roster), tuple(reasons))

    def spec_reasons(self, roster: Roster) -> list[Reason]:
        """Give what keeps a spec from being the next, for those who ask for anything."""
        reasons = self._own_reasons(roster)
        reasons += self._unasked(roster) + self._resting()
        view = self._scheduler.view(self._at, _ANYTHING)
        return reasons or _by_others(roster, view, view.order())

    def _own_reasons(self, roster: Roster) -> list[Reason]:
        closed = [gate.tell(roster, self._at) for gate in GATES if gate.closed(roster, self._at)]
        closed += limit_reasons(roster)
        if not closed and LOCKED.closed(roster, self._at):
            closed.append(LOCKED.tell(roster, self._at))
        return closed

    def _unasked(self, roster: Roster) -> list[Reason]:
        """Tell if all who asked lately do not accept the spec."""
        asks = self._scheduler.asked_lately(self._at)
        faults = [misfits(roster, ask) for ask in asks]
        if not asks or not all(faults):
            return []
        if all("min_gb" in fault for fault in faults):
            most = max(ask.available_gb or 0 for ask in asks)
            text = f"it needs {roster.spec.min_gb:g} GB, and nobody asks with more than {most:g}"
            return [Reason("min_gb", text, {"min_gb": roster.spec.min_gb, "most": most})]
        if all("runtime" in fault for fault in faults):
            text = f"nobody who asks has the runtime {roster.spec.runtime!r}"
            return [Reason("runtime", text, {"runtime": roster.spec.runtime})]
        return [Reason("not_asked_for", "nobody who asks for work asks for this work spec")]

    def _resting(self) -> list[Reason]:
        """Tell if all workers that are there are told to take no work."""
        number, there = self._workers.resting(), len(self._workers.by_id)
        if not number or number < there:
            return []
        who = "the only worker is" if number == 1 else f"all {number:,} workers are"
        return [Reason("told_to_rest", f"{who} told to take no work", {"workers": number})]

    def _counts(self, roster: Roster) -> dict[str, object]:
        available = roster.count(AVAILABLE)
        waiting: dict[str, int] = {}
        blocking = self._own_reasons(roster) or self._preempted(roster)
        if blocking:
            runnable, waiting[blocking[0].code] = 0, available
        else:
            held_back, locked = roster.ready.held_back(), roster.locks.waiting
            room = roster.room(self._at.now)
            able = available - held_back - locked
            runnable = able if room is None else min(room, able)
            waiting = {"serial": held_back, "lock": locked}
            waiting[self._tightest(roster)] = able - runnable
        states = (PENDING, BLOCKED, DELAYED, FINISHED, FAILED)
        counts = {STATUS_NAMES[state]: roster.counts().get(state, 0) for state in states}
        left = {code: number for code, number in waiting.items() if number}
        return {"available": available, "runnable": runnable, **counts, "waiting": left}

    def _preempted(self, roster: Roster) -> list[Reason]:
        view = self._scheduler.view(self._at, _ANYTHING)
        found = _by_others(roster, view, view.order())
        return [reason for reason in found if reason.code == "preempted"]

    def _tightest(self, roster: Roster) -> str:
        """Name what leaves the least room."""
        rooms: list[tuple[float, str]] = [(limit.room(), "limit") for limit in roster.limits]
        if roster.spec.max_running is not None:
            rooms.append((roster.spec.max_running - len(roster.pending), "max_running"))
        if roster.rate_log is not None:
            rooms.append((roster.rate_log.room(self._at.now), "rate"))
        return min(rooms, default=(0, "max_running"))[1]

    # ---- workers ----

    def worker(
        self, request: WorkRequest, held: Iterable[tuple[str, bytes, float]]
    ) -> WorkerExplanation:
        """Tell what a worker that asks so would get now, and why nothing of the other specs.

        Arguments:
            request: what it asks for.
            held: spec, key and deadline of what it has already.
        """
        view = self._scheduler.view(self._at, request)
        first = view.first()
        chosen = None if first is None else first.item
        unit = None if chosen is None else chosen.next_unit()
        order = view.order()
        places = {roster: place for place, roster in enumerate(order, 1)}
        specs = tuple(
            SpecPlace(name, tuple(self._for(roster, request, view, order)), places.get(roster))
            for name, roster in sorted(self._rosters.items())
        )
        if chosen is None:
            text = "there is nothing for it now" if specs else "there are no work specs"
        else:
            what = "a unit to be made up" if unit is None else key_text(unit.key)
            text = f"it would get {what} of {chosen.spec.name!r}"
        name = None if chosen is None else chosen.spec.name
        key = None if unit is None else unit.key
        return WorkerExplanation(text, name, key, tuple(held), specs)

    def _for(
        self, roster: Roster, request: WorkRequest, view: View, order: list[Roster]
    ) -> list[Reason]:
        unfit = [_misfit(code, roster, request) for code in misfits(roster, request)]
        reasons = self._own_reasons(roster) + unfit
        if reasons:
            return reasons
        return _by_others(roster, view, order) or [Reason("runs_next", "its best unit is next")]


def _misfit(code: str, roster: Roster, request: WorkRequest) -> Reason:
    if code == "min_gb":
        gigabytes = request.available_gb or 0
        text = f"it needs {roster.spec.min_gb:g} GB, the worker has {gigabytes:g}"
        return Reason(code, text, {"min_gb": roster.spec.min_gb, "available_gb": gigabytes})
    if code == "runtime":
        text = f"the worker has no runtime {roster.spec.runtime!r}"
        return Reason(code, text, {"runtime": roster.spec.runtime})
    return Reason(code, "the worker does not ask for it")


def _by_others(roster: Roster, view: View, order: list[Roster]) -> list[Reason]:
    """Tell who goes before a spec that could run."""
    busy = view.busy_ahead(roster)
    if busy is not None:
        text = f"{busy.spec.name!r}, further down its chain, has work and goes first"
        return [Reason("preempted", text, {"work_spec_name": busy.spec.name})]
    if not order or order[0] is roster:
        return []
    first = order[0]
    if roster not in order:
        text = f"{first.spec.name!r} has work of higher priority"
        details = {"work_spec_name": first.spec.name, "priority": list(first.rank or ())}
        return [Reason("priority", text, details)]
    place = order.index(roster)
    text = f"its turn, by weight, comes after {place} other work spec" + "s" * (place > 1)
    return [Reason("weight", text, {"place": place, "next": first.spec.name})]
