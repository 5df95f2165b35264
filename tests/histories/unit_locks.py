"""The locks of units, told as calls of lockers: hand-outs lock, renewals renew, ends unlock."""

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from tests.histories.events import NEVER, Call
from tests.histories.lock_calls import asks_for_work
from tests.histories.units import ENDINGS, HandOut, Unit, Update, units_of

UNDONE = 0.001
"""A hand-out that is lost on the way is taken back, as the grant of who waits is."""


def calls_for_locks(calls: Iterable[Call]) -> Iterator[Call]:
    """Give what units do with locks as calls for locks, marked by the argument ``unit``."""
    calls = list(calls)
    locks = {
        (unit["spec"], unit["key"]): unit["locks"]
        for call in calls
        for unit in given(call)
        if unit.get("locks")
    }
    for name, unit in units_of(calls).items():
        if name in locks:
            for hand_out in unit.hand_outs:
                yield from _of_attempt(unit, hand_out, locks[name])
    kinds = [wanted for wanted, _ in itertools.groupby(sorted(locks.values(), key=repr))]
    for call in calls:
        if asks_for_work(call) and not call.known:
            yield from (_lock(call, wanted, None, call.args["lease_time"]) for wanted in kinds)


def given(call: Call) -> list[dict[str, Any]]:
    """Give the units that a call was given."""
    return call.result.get("units") or [] if asks_for_work(call) and call.known else []


def _of_attempt(unit: Unit, hand_out: HandOut, wanted) -> Iterator[Call]:
    yield _lock(hand_out.call, wanted, hand_out.attempt, hand_out.lease)
    for update in unit.of(hand_out.attempt):
        lost = update.done is False and update.code == "lost_lease"
        if update.what == "renew" and update.may_be_done:
            yield _later(hand_out, wanted, update, "renew", done=update.done)
        elif lost:
            yield _later(hand_out, wanted, update, "renew", done=False)
        elif update.may_be_done:
            yield _later(hand_out, wanted, update, "unlock", done=update.done)
            if update.done and update.what in ENDINGS:
                # A second ending is fine, and nothing is unlocked by it.
                return


def _lock(call: Call, wanted, attempt: int | None, lease: float) -> Call:
    paths, modes = [path for path, _ in wanted], {mode for _, mode in wanted}
    args = {"unit": True, "locker": call.args["worker"], "timeout": lease, "paths": paths}
    args |= {"mode": modes.pop(), "wait": 0 if attempt else UNDONE}
    result = {"token": attempt} if attempt else None
    return Call(call.process, call.number, "lock", args, call.invoked, call.completed, result)


def _later(hand_out: HandOut, wanted, update: Update, kind: str, *, done: bool | None) -> Call:
    args = {"unit": True, "locker": hand_out.call.args["worker"], "timeout": update.lease}
    args |= {"paths": [path for path, _ in wanted], "token": hand_out.attempt}
    call = update.call
    end, result = (NEVER, None) if done is None else (call.completed, {"done": done})
    return Call(call.process, call.number, kind, args, call.invoked, end, result)
