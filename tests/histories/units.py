"""Checks what was recorded of units: one owner at a time, one ending each, none lost."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field, frozen

from tests.histories.events import Call
from tests.histories.lock_model import SLACK
from tests.histories.restarts import Restart, restarts_of

ENDINGS = {"finish", "fail"}
FINISHED = 4


@frozen
class HandOut:
    """A unit went to a worker: ``attempt``, for ``lease`` seconds."""

    call: Call
    attempt: int
    lease: float


@frozen
class Update:
    """A worker said something of a unit; ``done`` is None where it got no answer."""

    call: Call
    attempt: int
    what: str
    lease: float
    done: bool | None
    code: str | None = None

    @property
    def may_be_done(self):
        return self.done is not False


@define
class Unit:
    """What happened to one unit."""

    name: tuple[str, str]
    hand_outs: list[HandOut] = field(factory=list)
    updates: list[Update] = field(factory=list)
    adds: list[Call] = field(factory=list)

    def of(self, attempt: int) -> list[Update]:
        """Give what was said under an attempt, in the order of asking."""
        return [update for update in self.updates if update.attempt == attempt]


# ---- what was recorded, unit by unit ----


def units_of(calls: Iterable[Call]) -> dict[tuple[str, str], Unit]:
    """Sort what was recorded by unit."""
    units: dict[tuple[str, str], Unit] = {}

    def unit(spec, key) -> Unit:
        return units.setdefault((spec, key), Unit((spec, key)))

    for call in calls:
        if call.kind == "add":
            for key in call.args["keys"]:
                unit(call.args["spec"], key).adds.append(call)
        for said, told in _updates(call):
            lease = said.get("lease_time", 0)
            update = Update(
                call, said["attempt"], said["what"], lease, told["done"], told.get("code")
            )
            unit(said["spec"], said["key"]).updates.append(update)
        for given in _given(call):
            lease = call.args.get("lease_time", 0)
            unit(given["spec"], given["key"]).hand_outs.append(
                HandOut(call, given["attempt"], lease)
            )
    for found in units.values():
        found.hand_outs.sort(key=lambda hand_out: hand_out.attempt)
    return units


_NOTHING_TOLD = {"done": None}


def _updates(call: Call) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    if call.kind == "updates":
        told = call.result["results"] if call.known else itertools.repeat(_NOTHING_TOLD)
        yield from zip(call.args["updates"], told, strict=call.known)


def _given(call: Call) -> list[dict[str, Any]]:
    asked = call.kind in {"get_work", "updates"} and call.known
    return call.result.get("units") or [] if asked else []


# ---- the rules ----


def check_units(calls: Iterable[Call]) -> Iterator[str]:
    """Say which rules were broken."""
    calls = list(calls)
    restarts = restarts_of(calls)
    units = units_of(calls)
    for unit in units.values():
        for problem in _problems(unit, restarts):
            yield f"unit {unit.name}: {problem}"
    for call in calls:
        if call.kind == "final":
            yield from _final(call, units)


def _problems(unit: Unit, restarts: list[Restart]) -> Iterator[str]:
    for before, after in itertools.pairwise(unit.hand_outs):
        yield from _two_owners(unit, before, after, restarts)
    for hand_out in unit.hand_outs:
        for update in unit.of(hand_out.attempt):
            yield from _stale(unit, hand_out, update, restarts)
            yield from _refused(unit, hand_out, update, restarts)
    yield from _two_endings(unit)


def _two_owners(unit: Unit, before: HandOut, after: HandOut, restarts) -> Iterator[str]:
    """A unit is handed out again only when it was given up, or when its lease was over."""
    said = [update for update in unit.of(before.attempt) if update.may_be_done]
    ended = [
        update
        for update in said
        if update.what != "renew" and update.call.invoked <= after.call.completed
    ]
    again = [
        add
        for add in unit.adds
        if add.completed >= before.call.invoked and add.invoked <= after.call.completed
    ]
    finished = [update for update in said if update.what == "finish" and update.done]
    if finished and not again:
        yield f"was handed out after its end:\n  {finished[0].call}\n  {after.call}"
    until = lasts_until(before, [update for update in said if update.what == "renew"], restarts)
    if not ended and not again and after.call.completed < until - SLACK:
        yield (
            f"had two owners: attempt {before.attempt} lasts until {until:.4f} at least,"
            f" attempt {after.attempt} came before that:\n  {before.call}\n  {after.call}"
        )


def lasts_until(hand_out: HandOut, renewals: list[Update], restarts: list[Restart]) -> float:
    """Give until when a lease lasts at the least, if nobody ends it.

    Arguments:
        hand_out: begins it.
        renewals: what prolongs it, those without an answer among them, in the order of asking.
        restarts: those of the server.
    """
    last, until = hand_out.call, hand_out.call.invoked + hand_out.lease
    unsure: list[float] = []
    for update in renewals:
        end = update.call.invoked + update.lease
        if update.done:
            last, until, unsure = update.call, end, []
        else:
            # It may be what counts, and end the lease sooner than a restart would have.
            unsure.append(end)
    for restart in restarts:
        if last.completed < restart.killed and until > restart.spawned:
            until = max(until, restart.spawned + restart.grace)
    return min([until, *unsure])


def gone_from(hand_out: HandOut, renewals: list[Update], restarts: list[Restart]) -> float:
    """Give from when on a lease is over surely; NEVER if a renewal had no answer."""
    ends = [hand_out.call.completed + hand_out.lease]
    ends += [update.call.completed + update.lease for update in renewals]
    end = max(ends)
    for restart in restarts:
        if restart.ready > hand_out.call.invoked:
            end = max(end + restart.away, restart.ready + restart.grace)
    return end


def _stale(unit: Unit, hand_out: HandOut, update: Update, restarts) -> Iterator[str]:
    """Nothing is done for an attempt that is over."""
    if not update.done:
        return
    for other in unit.hand_outs:
        if other.attempt > hand_out.attempt and other.call.completed < update.call.invoked:
            yield f"took a word of an attempt that was over:\n  {other.call}\n  {update.call}"
    said = [one for one in unit.of(hand_out.attempt) if one.call.invoked < update.call.invoked]
    if any(one.what in ENDINGS and one.may_be_done for one in said):
        return
    renewals = [one for one in said if one.what == "renew" and one.may_be_done]
    before = [restart for restart in restarts if restart.killed < update.call.completed]
    end = gone_from(hand_out, renewals, before)
    if update.call.invoked > end + SLACK:
        yield f"took a word of a lease that was over at {end:.4f}:\n  {update.call}"
    for one in said:
        over = one.done is False or (one.what == "release" and one.done)
        if over and one.call.completed < update.call.invoked:
            yield f"was lost, and then was not:\n  {one.call}\n  {update.call}"


def _refused(unit: Unit, hand_out: HandOut, update: Update, restarts) -> Iterator[str]:
    """Whoever has a unit is not told otherwise."""
    if update.done is not False:
        return
    said = [one for one in unit.of(hand_out.attempt) if one is not update and one.may_be_done]
    before = [one for one in said if one.call.invoked <= update.call.completed]
    ended = any(one.what != "renew" for one in before)
    taken = any(
        other.attempt > hand_out.attempt and other.call.invoked <= update.call.completed
        for other in unit.hand_outs
    )
    again = any(
        add.completed >= hand_out.call.invoked and add.invoked <= update.call.completed
        for add in unit.adds
    )
    until = lasts_until(hand_out, [one for one in before if one.what == "renew"], restarts)
    if not ended and not taken and not again and update.call.completed < until - SLACK:
        yield f"was refused to its owner, who has it until {until:.4f}:\n  {update.call}"


def _two_endings(unit: Unit) -> Iterator[str]:
    """Between two endings that hold there is something that makes the unit run again."""
    ends = [update for update in unit.updates if update.what == "finish" and update.done]
    ends.sort(key=lambda update: update.attempt)
    for one, other in itertools.pairwise(ends):
        again = any(
            add.completed >= one.call.invoked and add.invoked <= other.call.completed
            for add in unit.adds
        )
        if one.attempt != other.attempt and not again:
            yield f"ended twice:\n  {one.call}\n  {other.call}"


def _final(call: Call, units: dict[tuple[str, str], Unit]) -> Iterator[str]:
    """At the end every unit is there, has ended, and says by which attempt."""
    statuses = {(spec, key): status for spec, key, status in call.result["ended"]}
    for name, unit in units.items():
        if name[0] not in call.args["specs"]:
            continue
        status = statuses.get(name)
        added = any(add.known and add.result["done"] for add in unit.adds)
        if status is None:
            if added or unit.hand_outs:
                yield f"unit {name} was lost"
        elif status["status"] == FINISHED:
            yield from _ended_by(name, unit, status["by"])
        elif call.args["over"]:
            yield f"unit {name} never ended: {status}"


def _ended_by(name, unit: Unit, attempt) -> Iterator[str]:
    acknowledged = [one for one in unit.updates if one.what == "finish" and one.done]
    possible = [one for one in unit.updates if one.what == "finish" and one.may_be_done]
    attempts = {one.attempt for one in (acknowledged or possible)}
    if not unit.adds or len(unit.adds) == 1:
        if attempt not in attempts:
            yield f"unit {name} was finished by {attempt}, not by any of {sorted(attempts)}"
    elif attempt not in {one.attempt for one in possible}:
        yield f"unit {name} was finished by {attempt}, who never said so"
