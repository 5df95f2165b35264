"""What a lock or a unit protects: it takes nothing under a lower token than it has seen."""

import fcntl
import itertools
import os
from collections.abc import Iterable, Iterator

from tests.histories.events import Call
from tests.histories.lock_calls import paths_of, token_of
from tests.histories.lock_model import SLACK
from tests.histories.restarts import restarts_of
from tests.histories.units import HandOut, Update, lasts_until, units_of


class Resource:
    """A file to which holders append their tokens, one at a time.

    Arguments:
        path: the file; made at the first write.
    """

    def __init__(self, path):
        self._path = path

    def write(self, token):
        """Append a token, unless a higher one is there: gives what was seen and the place taken."""
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            tokens = [int(line) for line in file]
            highest = max(tokens, default=0)
            if token < highest:
                return {"accepted": False, "highest": highest}
            os.write(file.fileno(), b"%d\n" % token)
            return {"accepted": True, "highest": highest, "place": len(tokens)}


def check_resources(calls: Iterable[Call]) -> Iterator[str]:
    """Say where a resource took tokens out of order, and where it refused who held its lock."""
    calls = list(calls)
    writes: dict[str, list[Call]] = {}
    for call in calls:
        if call.kind == "write" and call.known:
            writes.setdefault(call.args["resource"], []).append(call)
    for name, found in writes.items():
        yield from _out_of_order(name, found)
    lasting = _Lasting(calls)
    for call in itertools.chain.from_iterable(writes.values()):
        until = lasting.until(call)
        if not call.result["accepted"] and call.completed < until - SLACK:
            yield f"a holder until {until:.4f} was refused by the resource:\n  {call}"


def _out_of_order(name: str, writes: list[Call]) -> Iterator[str]:
    accepted = [call for call in writes if call.result["accepted"]]
    accepted.sort(key=lambda call: call.result["place"])
    for one, other in itertools.pairwise(accepted):
        if other.args["token"] < one.args["token"] or other.completed < one.invoked:
            yield f"{name} took tokens out of order:\n  {one}\n  {other}"


class _Lasting:
    """Until when a grant or a hand-out lasted at the least, by its token."""

    def __init__(self, calls: list[Call]) -> None:
        self._calls = calls
        self._restarts = restarts_of(calls)
        self._units = {
            hand_out.attempt: (unit, hand_out)
            for unit in units_of(calls).values()
            for hand_out in unit.hand_outs
        }
        self._grants = {token_of(call): call for call in calls if token_of(call) is not None}

    def until(self, write: Call) -> float:
        token = write.args["token"]
        if token in self._units:
            unit, hand_out = self._units[token]
            said = [one for one in unit.of(token) if one.call.invoked < write.completed]
            return self._end(write, hand_out, [one for one in said if one.may_be_done])
        if token not in self._grants:
            return 0.0
        grant = self._grants[token]
        said = [
            Update(call, token, "renew", call.args["timeout"], _done(call))
            if call.kind == "renew"
            else Update(call, token, "unlock", 0, _done(call))
            for call in self._calls
            if self._is_about(call, grant) and call.invoked < write.completed
        ]
        hand_out = HandOut(grant, token, grant.args["timeout"])
        return self._end(write, hand_out, [update for update in said if update.may_be_done])

    def _end(self, write: Call, hand_out: HandOut, said: list[Update]) -> float:
        if any(one.what != "renew" for one in said):
            return 0.0
        before = [restart for restart in self._restarts if restart.ready < write.invoked]
        return lasts_until(hand_out, said, before)

    @staticmethod
    def _is_about(call: Call, grant: Call) -> bool:
        if call.kind == "force_unlock":
            return bool(set(paths_of(call)) & set(paths_of(grant)))
        same = call.kind in {"renew", "unlock"} and call.args["locker"] == grant.args["locker"]
        return same and bool(set(paths_of(call)) & set(paths_of(grant)))


def _done(call: Call) -> bool | None:
    if not call.known:
        return None
    return True if call.kind == "force_unlock" else bool(call.result["done"])
