"""The server's restarts: what is known of how its clock goes on."""

from collections.abc import Iterable

from attrs import frozen

from tests.histories.events import Call


@frozen
class Restart:
    """The server was killed and came back.

    Arguments:
        call: as it was recorded.
        killed: it lived until then at the least.
        spawned: it was dead by then at the latest, and began to load no earlier.
        ready: it answered from then on at the latest.
        since: its clock went on from where it was then, or later: from its last commit.
        grace: what everything held had left at least, seconds.
    """

    call: Call
    killed: float
    spawned: float
    ready: float
    since: float
    grace: float

    @property
    def away(self) -> float:
        """For how long its clock stood still at the most, seconds."""
        return self.ready - self.since


def restarts_of(calls: Iterable[Call]) -> list[Restart]:
    """Give the restarts in a history, in order."""
    calls = list(calls)
    found = [call for call in calls if call.kind == "restart"]
    starts = [call.result["spawned"] for call in calls if call.kind in {"start", "restart"}]
    committed = sorted((call.completed, call.invoked) for call in calls if changed_something(call))
    restarts = []
    for call in found:
        before = [at for at in starts if at < call.invoked]
        before += [invoked for completed, invoked in committed if completed <= call.invoked]
        spawned, grace = call.result["spawned"], call.result["grace"]
        since = max(before, default=0.0)
        restarts.append(Restart(call, call.invoked, spawned, call.completed, since, grace))
    return restarts


def changed_something(call: Call) -> bool:
    """Whether a call's answer shows that there was a commit between it and the answer."""
    if not call.known or not isinstance(call.result, dict):
        return False
    return any(call.result.get(sign) for sign in ("token", "done", "units"))
