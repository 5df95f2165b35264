"""The checker itself: it accepts what a right server does, and not what a wrong one does."""

import random

import pytest

from tests.histories import simulated_locks, simulated_work
from tests.histories.events import NEVER, Call, Recorder, read_calls
from tests.histories.simulated_locks import LockSimulation
from tests.histories.simulated_work import WorkSimulation
from tests.histories.verdicts import Undecided, Violation, check

ROUNDS = 60
A, AB, AC, B = ["a"], ["a", "b"], ["a", "c"], ["b"]


def history(*rows):
    """Make calls of (process, kind, arguments, invoked, completed, result)."""
    return [
        Call(process, number, kind, args, invoked, completed, result)
        for number, (process, kind, args, invoked, completed, result) in enumerate(rows)
    ]


def lock(process, paths, invoked, completed, result, **more):
    args = {"locker": process, "timeout": 10, "paths": paths, "mode": "exclusive", "wait": 0}
    result = {"token": result} if isinstance(result, int) else result
    return process, "lock", args | {"reentrant": False} | more, invoked, completed, result


def word(kind, process, paths, token, invoked, completed, done, **more):
    args = {"locker": process, "paths": paths, "token": token, **more}
    result = None if done is None else {"done": done}
    return process, kind, args, invoked, completed, result


def work(process, attempt, invoked, completed, key="k", lease=10):
    unit = {"spec": "s", "key": key, "attempt": attempt}
    return (
        *(process, "get_work", {"worker": process, "lease_time": lease}),
        *(invoked, completed, {"units": [unit]}),
    )


def said(process, attempt, what, invoked, completed, done, key="k", lease=10):
    update = {"spec": "s", "key": key, "attempt": attempt, "what": what, "lease_time": lease}
    result = None if done is None else {"results": [{"done": done}]}
    return process, "updates", {"updates": [update]}, invoked, completed, result


def restart(killed, ready, grace):
    told = {"spawned": (killed + ready) / 2, "grace": grace}
    return "server", "restart", {}, killed, ready, told


REFUSED, LATE = {"refused": "locked"}, {"refused": "timeout"}

RIGHT = {
    "a lock after another": (
        lock("p", [A], 0, 1, 1),
        word("unlock", "p", [A], 1, 2, 3, True),
        lock("q", [A], 4, 5, 2),
    ),
    "a renewal after a restart that shortened the lease, and had no answer": (
        work("p", 1, 0, 1),
        restart(2, 4, 60),
        said("p", 1, "renew", 5, NEVER, None, lease=3),
        work("q", 2, 9, 10),
    ),
    "a refusal because of a unit that waits, and was never handed out": (
        ("d", "add", {"spec": "s", "keys": ["k"], "locks": [A]}, 0, 1, {"done": True}),
        lock("q", [A], 2, 3, REFUSED),
        lock("q", [B], 4, 5, 1),
    ),
    "an unlock that overlaps the next lock": (
        lock("p", [A], 0, 1, 1),
        word("unlock", "p", [A], 1, 2, 5, True),
        lock("q", [AB], 3, 4, 2),
    ),
    "a lock that has ended by itself": (lock("p", [A], 0, 1, 1), lock("q", [A], 9, 10.5, 2)),
    "an unlock of a process that was killed": (
        lock("p", [A], 0, 1, 1),
        word("unlock", "p", [A], 1, 2, NEVER, None),
        lock("q", [A], 4, 5, 2),
    ),
    "a lock of a process that was killed": (
        lock("p", [A], 0, NEVER, None),
        lock("q", [A], 4, 5, REFUSED),
    ),
    "a refusal because of who waits": (
        lock("p", [A], 0, 1, 1),
        lock("q", [A, ["e"]], 2, 6, 2, wait=10),
        lock("r", [["e"]], 3, 4, REFUSED),
        word("unlock", "p", [A], 1, 4.5, 5, True),
    ),
    "shared with shared": (
        lock("p", [A], 0, 1, 1, mode="shared"),
        lock("q", [AB], 2, 3, 2, mode="shared"),
    ),
    "a lock twice by one locker that says so": (
        lock("p", [A], 0, 1, 1),
        lock("p", [A], 2, 3, 1, reentrant=True),
        word("unlock", "p", [A], 1, 4, 5, True),
        lock("q", [A], 6, 7, REFUSED),
        word("unlock", "p", [A], 1, 8, 9, True),
        lock("q", [A], 9, 9.5, 2),
    ),
    "a lock that is kept through a restart": (
        lock("p", [A], 0, 1, 1),
        restart(5, 6, 100),
        lock("q", [A], 50, 51, REFUSED),
    ),
    "a unit whose lease is over": (work("p", 1, 0, 1), work("q", 2, 10.5, 11)),
    "a unit that is given back": (
        work("p", 1, 0, 1),
        said("p", 1, "release", 2, 3, True),
        work("q", 2, 2.5, 2.7),
    ),
    "a finish that nobody saw, and a lease that is over": (
        work("p", 1, 0, 1),
        said("p", 1, "finish", 2, NEVER, None),
        work("q", 2, 11, 12),
    ),
    "a word that comes too late": (
        work("p", 1, 0, 1),
        work("q", 2, 10.5, 11),
        said("p", 1, "finish", 12, 13, False),
    ),
}

WRONG = {
    "a refusal though a unit waits for something else": (
        ("d", "add", {"spec": "s", "keys": ["k"], "locks": [B]}, 0, 1, {"done": True}),
        lock("q", [A], 2, 3, REFUSED),
    ),
    "two exclusive locks": (lock("p", [A], 0, 1, 1), lock("q", [A], 2, 3, 2)),
    "a lock under a lock": (lock("p", [A], 0, 1, 1), lock("q", [AB], 2, 3, 2)),
    "a lock above a lock": (lock("p", [AB], 0, 1, 1), lock("q", [A], 2, 3, 2)),
    "exclusive over shared": (
        lock("p", [A], 0, 1, 1, mode="shared"),
        lock("q", [A], 2, 3, 2),
    ),
    "a lock that ends before its time": (lock("p", [A], 0, 1, 1), lock("q", [A], 9, 9.9, 2)),
    "a lock that does not end": (lock("p", [A], 0, 1, 1), lock("q", [A], 12, 13, REFUSED)),
    "a refusal for no reason": (lock("p", [A], 0, 1, 1), lock("q", [["e"]], 2, 3, REFUSED)),
    "a token that is not the greater one": (
        lock("p", [A], 0, 1, 2),
        word("unlock", "p", [A], 2, 2, 3, True),
        lock("q", [A], 4, 5, 1),
    ),
    "a token that is given twice": (lock("p", [A], 0, 1, 1), lock("q", [["e"]], 0, 1, 1)),
    "tokens against the order of the grants": (
        lock("p", [A], 0, 9, 2),
        word("unlock", "p", [A], 2, 9, 9.5, True),
        lock("q", [A], 0, 9, 1),
        (*word("readlock", "r", [A], 0, 1, 2, None)[:3], 1, 2, {"owners": ["p"]}),
    ),
    "an unlock by who does not have it": (
        lock("p", [A], 0, 1, 1),
        word("unlock", "q", [A], 1, 2, 3, True),
    ),
    "an unlock that did nothing": (
        lock("p", [A], 0, 1, 1),
        word("unlock", "p", [A], 1, 2, 3, True),
        lock("q", [AC], 4, 5, REFUSED),
    ),
    "a renewal of what is lost": (
        lock("p", [A], 0, 1, 1),
        lock("q", [A], 11, 12, 2),
        word("renew", "p", [A], 1, 13, 14, True, timeout=10),
    ),
    "a renewal that is refused to the holder": (
        lock("p", [A], 0, 1, 1),
        word("renew", "p", [A], 1, 2, 3, False, timeout=10),
    ),
    "a lock that is forgotten by a restart": (
        lock("p", [A], 0, 1, 1),
        restart(5, 6, 1),
        lock("q", [A], 7, 8, 2),
    ),
    "no grace after a restart": (
        lock("p", [A], 0, 1, 1),
        restart(5, 6, 20),
        lock("q", [A], 16, 17, 2),
    ),
    "a wait that is over too soon": (
        lock("p", [A], 0, 1, 1),
        lock("q", [A], 2, 3, LATE, wait=5),
    ),
    "a unit with two owners": (work("p", 1, 0, 1), work("q", 2, 2, 3)),
    "a unit with two owners in spite of a renewal": (
        work("p", 1, 0, 1),
        said("p", 1, "renew", 8, 9, True),
        work("q", 2, 12, 13),
    ),
    "a word of a stale attempt": (
        work("p", 1, 0, 1),
        work("q", 2, 11, 12),
        said("p", 1, "renew", 13, 14, True),
    ),
    "a word after the lease that changes something": (
        work("p", 1, 0, 1),
        said("p", 1, "finish", 12, 13, True),
    ),
    "an owner who is refused": (work("p", 1, 0, 1), said("p", 1, "renew", 2, 3, False)),
    "two endings": (
        work("p", 1, 0, 1),
        said("p", 1, "finish", 9, NEVER, None),
        work("q", 2, 10.5, 11),
        said("p", 1, "finish", 10, 14, True),
        said("q", 2, "finish", 11, 14, True),
    ),
    "a hand-out of what has ended": (
        work("p", 1, 0, 1),
        said("p", 1, "finish", 2, 3, True),
        work("q", 2, 11, 12),
    ),
    "an attempt that is not the greater one": (work("p", 5, 0, 1), work("q", 4, 2, 3, "l")),
    "a lost unit": (
        ("p", "add", {"spec": "s", "keys": ["k"]}, 0, 1, {"done": True}),
        ("p", "final", {"specs": ["s"], "over": True}, 2, 3, {"ended": []}),
    ),
    "an ending by who was not told so": (
        ("p", "add", {"spec": "s", "keys": ["k"]}, 0, 1, {"done": True}),
        work("p", 1, 2, 3),
        said("p", 1, "finish", 4, 5, True),
        (
            "p",
            "final",
            {"specs": ["s"], "over": True},
            6,
            7,
            {"ended": [("s", "k", {"status": 4, "by": 2})]},
        ),
    ),
    "a holder whom the resource refuses": (
        lock("p", [A], 0, 1, 1),
        lock("q", [["e"]], 2, 3, 2),
        ("q", "write", {"resource": "r", "token": 2}, 4, 5, {"accepted": True, "place": 0}),
        ("p", "write", {"resource": "r", "token": 1}, 6, 7, {"accepted": False, "place": 1}),
    ),
    "a resource that takes a lower token": (
        ("q", "write", {"resource": "r", "token": 2}, 4, 5, {"accepted": True, "place": 0}),
        ("p", "write", {"resource": "r", "token": 1}, 6, 7, {"accepted": True, "place": 1}),
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_histories_are_accepted(name):
    check(history(*RIGHT[name]))


@pytest.mark.parametrize("name", WRONG)
def test_wrong_histories_are_refused(name):
    with pytest.raises(Violation):
        check(history(*WRONG[name]))


def test_answers_that_differ_when_a_call_is_repeated_are_seen():
    calls = history(lock("p", [A], 0, 1, 1))
    calls[0].repeats = ["{'result': 1}", None, "{'result': 2}"]
    with pytest.raises(Violation, match="two ways"):
        check(calls)


def test_who_was_seen_waiting_is_not_overtaken():
    seen = {"path": A, "locker": "p", "token": 1, "waiters": ["q"]}
    calls = history(
        lock("p", [A], 0, 1, 1),
        lock("q", [A], 2, 9, 3, wait=20),
        ("r", "list_locks", {"path": []}, 3, 4, {"locks": [seen]}),
        lock("s", [A], 5, 9, 2, wait=20),
        word("unlock", "p", [A], 1, 6, 7, True),
        word("unlock", "s", [A], 2, 8, 9.5, True),
    )
    with pytest.raises(Violation, match="overtaken"):
        check(calls)


# ---- what a simulated server does ----


def simulated(kind, seed, number, bug=None):
    """Give the calls of one round of a simulation."""
    chance = random.Random(f"{seed} {number}")
    return kind(
        *(chance, bug),
        calls=chance.choice([40, 80, 160]),
        clients=chance.choice([2, 4, 6]),
        crashes=chance.choice([0, 0.02, 0.06]),
        restarts=chance.choice([0, 1, 2]),
    ).run()


@pytest.mark.parametrize("kind", [LockSimulation, WorkSimulation])
def test_whatever_a_right_server_does_is_accepted(kind, seed):
    for number in range(2 * ROUNDS):
        check(simulated(kind, seed, number))


@pytest.mark.parametrize(
    "kind, bug",
    [(LockSimulation, bug) for bug in simulated_locks.BUGS]
    + [(WorkSimulation, bug) for bug in simulated_work.BUGS],
)
def test_wrong_servers_are_found_out(kind, bug, seed):
    """Not in every round: some of them give the bug no chance to be seen."""
    rounds = (random.Random(f"{seed} {number}") for number in range(ROUNDS))
    found = [refused(kind(chance, bug, calls=160, restarts=2).run()) for chance in rounds]
    assert sum(found) >= 3


def refused(calls):
    """Whether a history is refused; one whose search is given up is not."""
    try:
        check(calls)
    except Violation:
        return True
    except Undecided:
        return False
    return False


def lies(chance, calls):
    """Change one answer of a history, so that it is most likely not true any more."""
    known = [call for call in calls if call.known and call.kind in {"lock", "renew", "unlock"}]
    call = chance.choice(known)
    if call.kind != "lock":
        call.result = {"done": not call.result["done"]}
    elif "token" in call.result:
        call.result = {"refused": "locked"}
    else:
        call.result = {"token": 10**6}
    return call


def test_most_lies_are_noticed(seed):
    """A lie may happen to be possible: a lock could have been refused just before it was free."""
    noticed = 0
    for number in range(ROUNDS):
        calls = simulated(LockSimulation, seed, number)
        lies(random.Random(f"lie {seed} {number}"), calls)
        noticed += refused(calls)
    assert noticed > 0.7 * ROUNDS


# ---- what is recorded ----


def test_a_call_that_was_cut_short_by_a_kill_stays_open(tmp_path):
    recorder = Recorder(tmp_path / "p.history", "p", iter([1.0, 2.0, 3.0]).__next__)
    recorder.end(recorder.begin("lock", {"paths": [A]}), {"token": 1})
    recorder.begin("unlock", {"paths": [A]})
    recorder.close()
    with (tmp_path / "p.history").open("ab") as file:
        file.write(b'{"number": 2, "at": 4.0, "resu')
    first, second = read_calls([tmp_path / "p.history"])
    assert (first.invoked, first.completed, first.result) == (1.0, 2.0, {"token": 1})
    assert (second.kind, second.known, second.result) == ("unlock", False, None)
