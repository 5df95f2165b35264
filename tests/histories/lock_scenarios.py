"""Short plays about locks that each give one kind of mistake its chance to be seen."""

from tests.histories.scenario import scenario
from tests.histories.stages import losing, one

LONG = 30
TOP, MIDDLE, BOTTOM, BESIDE = ("t",), ("t", "m"), ("t", "m", 1), ("t", "n")


def granted(result):
    """Give the token of what has to be a grant."""
    assert "token" in result, f"not granted: {result}"
    return result["token"]


@scenario
def ancestors_and_descendants(stage):
    """What is above a lock is not free, nor is what is below it; what is beside it is."""
    first, second = stage.locker(), stage.locker()
    token = granted(first.lock(LONG, [MIDDLE]))
    for path in (TOP, MIDDLE, BOTTOM):
        second.lock(LONG, [path])
    granted(second.lock(LONG, [BESIDE]))
    first.unlock([MIDDLE], token)
    granted(second.lock(LONG, [BOTTOM]))
    first.lock(LONG, [TOP])
    first.lock(LONG, [MIDDLE])


@scenario
def shared_and_exclusive(stage):
    """Those who share do not mind each other; nobody else is beside them."""
    first, second, third = (stage.locker() for _ in range(3))
    granted(first.lock(LONG, [MIDDLE], mode="shared"))
    granted(second.lock(LONG, [BOTTOM], mode="shared"))
    third.lock(LONG, [MIDDLE])
    third.lock(LONG, [BOTTOM])
    third.lock(LONG, [TOP])
    granted(third.lock(LONG, [BESIDE]))
    second.lock(LONG, [TOP], mode="shared")
    second.lock(LONG, [BESIDE], mode="shared")


@scenario
def others_locks(stage):
    """Nobody renews or unlocks what is another's, or of another grant."""
    first, second = stage.locker(), stage.locker()
    old = granted(first.lock(LONG, [MIDDLE]))
    second.unlock([MIDDLE], old)
    second.unlock([MIDDLE], None)
    second.renew(LONG, [MIDDLE], old)
    second.lock(LONG, [MIDDLE])
    first.unlock([MIDDLE], old)
    new = granted(first.lock(LONG, [MIDDLE]))
    first.unlock([MIDDLE], old)
    first.renew(LONG, [MIDDLE], old)
    second.lock(LONG, [MIDDLE])
    first.renew(LONG, [MIDDLE], new)


@scenario
def time_of_a_lock(stage):
    """A lock lasts as long as it was told, and no longer; it does not take others with it."""
    first, second, third = (stage.locker() for _ in range(3))
    token = granted(first.lock(0.3, [MIDDLE]))
    granted(third.lock(LONG, [BESIDE]))
    first.renew(0.6, [MIDDLE], token)
    second.lock(LONG, [MIDDLE], wait=0.2)
    granted(second.lock(LONG, [MIDDLE], wait=3))
    second.lock(LONG, [BESIDE])
    first.renew(LONG, [MIDDLE], token)
    second.readlock([MIDDLE, BESIDE, BOTTOM])


@scenario
def late_renewal(stage):
    """A lock that is over stays over, also if nobody else has it."""
    first, second = stage.locker(), stage.locker()
    old = granted(first.lock(0.3, [MIDDLE]))
    new = granted(second.lock(0.2, [MIDDLE], wait=3))
    second.unlock([MIDDLE], new)
    first.renew(LONG, [MIDDLE], old)
    first.unlock([MIDDLE], old)
    granted(second.lock(LONG, [TOP]))


@scenario(grace=3)
def locks_after_a_restart(stage):
    """A killed server comes back with every lock, and leaves its holder the time to go on."""
    first, second, third = (stage.locker() for _ in range(3))
    token = granted(first.lock(0.8, [MIDDLE]))
    shared = granted(third.lock(0.8, [("u",)], mode="shared"))
    stage.server.restart()
    second.lock(LONG, [MIDDLE])
    second.lock(LONG, [MIDDLE], wait=1.2)
    second.lock(LONG, [("u",)])
    granted(second.lock(LONG, [("u",)], mode="shared"))
    first.renew(LONG, [MIDDLE], token)
    third.renew(LONG, [("u",)], shared)
    granted(second.lock(LONG, [BESIDE]))


@scenario(grace=30)
def renewals_after_a_restart(stage):
    """What was renewed, or unlocked, is so after a restart, too."""
    first, second = stage.locker(), stage.locker()
    token = granted(first.lock(LONG, [MIDDLE]))
    gone = granted(first.lock(LONG, [BESIDE]))
    first.lock(LONG, [MIDDLE], reentrant=True)
    first.unlock([BESIDE], gone)
    stage.server.restart()
    granted(second.lock(LONG, [BESIDE]))
    first.unlock([MIDDLE], token)
    second.lock(LONG, [MIDDLE])
    first.unlock([MIDDLE], token)
    granted(second.lock(LONG, [MIDDLE]))


@scenario(grace=30)
def told_lock_is_kept(stage):
    """Nobody is told of a lock that cannot be written down."""
    first, second = stage.locker(), stage.locker()
    granted(first.lock(LONG, [BESIDE]))
    stage.server.fill_disk()
    first.collect(first.ask_for_lock(LONG, [MIDDLE]))
    stage.server.restart()
    second.lock(LONG, [MIDDLE])
    second.lock(LONG, [BESIDE])


@scenario
def waiting_for_locks(stage):
    """Who asked first is first, also over those who do not wait, and keeps all of its paths."""
    holder, big, small, nosy = (stage.locker() for _ in range(4))
    token = granted(holder.lock(LONG, [MIDDLE]))
    first = big.ask_for_lock(LONG, [MIDDLE, BESIDE], wait=10)
    big.fence()
    second = small.ask_for_lock(LONG, [MIDDLE], wait=10)
    small.fence()
    nosy.list_locks()
    assert nosy.lock(LONG, [BESIDE]).get("refused") == "locked", "what is reserved was granted"
    third = nosy.ask_for_lock(LONG, [MIDDLE], wait=10)
    nosy.fence()
    holder.unlock([MIDDLE], token)
    answer = big.collect(first, 2)
    assert answer is not None, "the lock was free, and who waited longest was not told"
    big.unlock([MIDDLE, BESIDE], granted(answer))
    answer = small.collect(second, 2)
    assert answer is not None, "the lock was free, and who waited longest was not told"
    small.unlock([MIDDLE], granted(answer))
    granted(nosy.collect(third, 2))


@scenario
def all_or_none(stage):
    """Who waits for several paths waits for all of them."""
    owner, other, big = (stage.locker() for _ in range(3))
    first, second = granted(owner.lock(LONG, [MIDDLE])), granted(other.lock(LONG, [BESIDE]))
    sent = big.ask_for_lock(LONG, [MIDDLE, BESIDE], wait=10)
    big.fence()
    owner.unlock([MIDDLE], first)
    assert big.collect(sent, 0.2) is None, "granted without one of its paths"
    other.unlock([BESIDE], second)
    granted(big.collect(sent, 2))


@scenario
def dead_lock_waiter(stage):
    """Who died while it waited gets nothing, and is in nobody's way."""
    holder, dead, alive = (stage.locker() for _ in range(3))
    token = granted(holder.lock(LONG, [MIDDLE]))
    dead.ask_for_lock(LONG, [MIDDLE, BESIDE], wait=20)
    dead.fence()
    dead.close()
    # The server has read the end of that connection when it answers one that came later.
    alive.fence()
    granted(alive.lock(LONG, [BESIDE], wait=2))
    holder.unlock([MIDDLE], token)
    granted(alive.lock(LONG, [MIDDLE], wait=2))


@scenario
def waiting_in_a_ring(stage):
    """Who would close a ring of those who wait is told so at once, with the ring."""
    first, second = stage.locker(), stage.locker()
    one, two = granted(first.lock(LONG, [TOP])), granted(second.lock(LONG, [("u",)]))
    sent = first.ask_for_lock(LONG, [("u",)], wait=10)
    first.fence()
    call = second.ask_for_lock(LONG, [BOTTOM], wait=10)
    answer = second.collect(call, 2)
    assert answer is not None, "nobody was told of the ring"
    assert answer.get("refused") == "deadlock"
    second.unlock([("u",)], two)
    granted(first.collect(sent, 2))
    first.unlock([TOP], one)


@scenario
def lost_lock_answers(stage):
    """A lock whose answer is lost is granted once, and counted once."""
    ways = [None, "answered", "sent", "answered", None]
    first, second = stage.locker(losing(*ways)), stage.locker()
    token = granted(first.lock(LONG, [MIDDLE]))
    first.lock(LONG, [MIDDLE], reentrant=True)
    first.renew(LONG, [MIDDLE], token)
    first.unlock([MIDDLE], token)
    second.lock(LONG, [MIDDLE])
    first.unlock([MIDDLE], token)
    granted(second.lock(LONG, [MIDDLE]))


@scenario
def lost_answers_about_locks(stage):
    """So it is with every call."""
    ways = ["answered", "sent", None] * 6
    first, second = stage.locker(losing(*ways)), stage.locker()
    token = granted(first.lock(LONG, [MIDDLE], wait=1))
    first.renew(LONG, [MIDDLE], token)
    second.lock(LONG, [MIDDLE])
    first.unlock([MIDDLE], token)
    granted(second.lock(LONG, [MIDDLE]))


@scenario
def lock_twice(stage):
    """A locker that says so has a lock twice, and then has to unlock it twice."""
    first, second = stage.locker(), stage.locker()
    token = granted(first.lock(LONG, [MIDDLE]))
    first.lock(LONG, [MIDDLE])
    granted(first.lock(LONG, [MIDDLE], reentrant=True))
    granted(first.lock(LONG, [BOTTOM], reentrant=True))
    first.unlock([MIDDLE], token)
    second.lock(LONG, [MIDDLE])
    first.unlock([MIDDLE], token)
    second.lock(LONG, [MIDDLE])


@scenario
def forced_locks(stage):
    """What is forced is free for others, and lost for its holder."""
    first, second = stage.locker(), stage.locker()
    token = granted(first.lock(LONG, [MIDDLE]))
    assert second.force_unlock([MIDDLE])["number"] == 1
    granted(second.lock(LONG, [MIDDLE]))
    first.renew(LONG, [MIDDLE], token)
    first.unlock([MIDDLE], token)


@scenario
def some_locks(stage):
    """Of several paths those that are free are locked."""
    first, second = stage.locker(), stage.locker()
    granted(first.lock(LONG, [MIDDLE]))
    token = granted(second.locksome(LONG, [BOTTOM, BESIDE, ("u",)]))
    first.lock(LONG, [BESIDE])
    second.unlock([BESIDE, ("u",)], token)
    granted(first.lock(LONG, [BESIDE, ("u",)]))


@scenario(grace=3)
def locks_of_units(stage):
    """A unit has its locks while its worker has it, and neither more nor less."""
    adder = stage.work()
    worker, other, locker = stage.worker(), stage.worker(), stage.locker()
    adder.add("s", ["k"], locks=[MIDDLE])
    adder.add("s", ["l"], locks=[BOTTOM])
    unit = one(worker.get_work(1))
    assert not other.get_work(1)["units"], "two units have one lock"
    locker.lock(LONG, [TOP])
    locker.force_unlock([MIDDLE])
    locker.unlock([MIDDLE], unit["attempt"], locker=worker.worker)
    locker.list_locks()
    stage.server.restart()
    locker.lock(LONG, [MIDDLE])
    worker.update((unit, "renew", LONG))
    locker.lock(LONG, [MIDDLE], wait=1.5)
    worker.update((unit, "finish"))
    unit = one(other.get_work(1, wait=2))
    locker.lock(LONG, [MIDDLE])
    other.update((unit, "finish"))
    granted(locker.lock(LONG, [TOP]))
