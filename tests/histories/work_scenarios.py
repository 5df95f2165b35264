"""Short plays about units that each give one kind of mistake its chance to be seen."""

from tests.histories.scenario import scenario
from tests.histories.stages import losing, one

LEASE = 1.0
"""The shortest there is."""


@scenario
def stale_words(stage):
    """Who has lost a unit can do nothing to it."""
    stage.work("k")
    slow, quick = stage.worker(), stage.worker()
    old = one(slow.get_work(LEASE))
    new = one(quick.get_work(30, wait=5))
    slow.update((old, "renew", 30))
    slow.update((old, "finish"))
    slow.update((old, "release"))
    quick.update((new, "renew", 30), (new, "finish"))


@scenario
def lease_to_its_end(stage):
    """A lease lasts as long as it was told, and no longer."""
    stage.work("k")
    first, second = stage.worker(), stage.worker()
    unit = one(first.get_work(LEASE))
    first.update((unit, "renew", 1.2 * LEASE))
    assert not second.get_work(LEASE, wait=0.3)["units"], "handed out again"
    one(second.get_work(30, wait=4))
    first.update((unit, "renew", LEASE))


@scenario
def late_words(stage):
    """A lease that is over stays over, also if nobody else has the unit."""
    stage.work("k")
    owner, other = stage.worker(), stage.worker()
    unit = one(owner.get_work(LEASE))
    taken = one(other.get_work(LEASE, wait=5))
    other.update((taken, "release"))
    owner.update((unit, "renew", 30))
    owner.update((unit, "finish"))


@scenario
def unused_lease(stage):
    """A lease is over at its end, before anybody asks for the unit."""
    stage.work("k")
    owner, clock = stage.worker(), stage.worker()
    unit = one(owner.get_work(LEASE))
    clock.get_work(LEASE, wait=1.2 * LEASE, specs=["another"])
    owner.update((unit, "renew", 30))


@scenario
def one_worker_each(stage):
    """Nobody is given what another one has."""
    stage.work("k", "l", "m")
    for _ in range(3):
        one(stage.worker().get_work(30))


@scenario(grace=3)
def owners_after_a_restart(stage):
    """Who has a unit when the server is killed still has it when it is back."""
    stage.work("k", "l", "m")
    owner, other = stage.worker(), stage.worker()
    held = owner.get_work(LEASE, most=2)["units"]
    stage.server.restart()
    assert len(other.get_work(30, wait=0.1, most=9)["units"]) == 1, "not one is left"
    other.get_work(30, wait=1.5 * LEASE, most=9)
    owner.update(*((unit, "renew", 30) for unit in held))
    owner.update(*((unit, "finish") for unit in held))


@scenario(grace=0)
def numbers_after_a_restart(stage):
    """Attempts go on growing over a restart, and so do tokens."""
    stage.work("k", "l")
    before, after = stage.worker(), stage.worker()
    before.get_work(30)
    stage.server.restart()
    assert after.get_work(30)["units"]


@scenario
def finishing_twice(stage):
    """A second finish under one attempt is fine and changes nothing, what it chains neither."""
    stage.work(spec="then")
    stage.work("k", then="then")
    worker = stage.worker()
    unit = one(worker.get_work(30, specs=["s"]))
    data = {"by": unit["attempt"], "output": {"of-k": {}}}
    assert worker.update((unit, "finish", data))["results"][0]["done"]
    chained = one(worker.get_work(30, specs=["then"]))
    assert worker.update((chained, "finish", {"by": chained["attempt"]}))["results"][0]["done"]
    assert worker.update((unit, "finish", data))["results"][0]["done"]
    assert not worker.get_work(30)["units"], "handed out after its end"
    worker.final(["s", "then"], {"s": ["k"], "then": ["of-k"]})


@scenario
def lost_answers(stage):
    """A call whose answer is lost is done once, and answered alike."""
    adder = stage.work("k", "l")
    worker = stage.worker(losing(*["answered", "answered", None, "sent", "half", None] * 3))
    unit = one(worker.get_work(30))
    other = one(worker.get_work(30))
    worker.update((unit, "renew", 30), following=30)
    worker.update((unit, "finish", {"by": unit["attempt"]}), following=30)
    worker.update((other, "finish", {"by": other["attempt"]}))
    adder.final(["s"], {"s": ["k", "l"]})


@scenario(grace=30)
def lost_answers_and_a_restart(stage):
    """So it is if the server is killed between the two times."""
    stage.work("k", "l")

    def ways():
        for _ in range(2):
            yield "answered"
            stage.server.restart()
            yield from [None, None]

    worker = stage.worker(ways().__next__)
    unit = one(worker.get_work(30))
    worker.update((unit, "finish", {"by": unit["attempt"]}))


@scenario(grace=30)
def told_is_kept(stage):
    """Nobody is told of what cannot be written down."""
    adder = stage.work("k")
    stage.server.fill_disk()
    adder.collect(adder.ask_to_add("s", ["l"]))
    stage.server.restart()
    adder.close()
    adder.final(["s"], {"s": ["k", "l"]}, over=False)


@scenario
def dead_waiter(stage):
    """Work is not given to who has died while waiting for it."""
    adder = stage.work()
    dead, alive = stage.worker(), stage.worker()
    dead.ask_for_work(30, wait=20)
    dead.fence()
    dead.close()
    # The server has read the end of that connection when it answers one that came later.
    alive.fence()
    adder.add("s", ["k"])
    assert alive.get_work(30, wait=2)["units"]


@scenario
def waiting_in_order(stage):
    """Work goes to who asked first, and to one only."""
    adder = stage.work()
    workers = [stage.worker() for _ in range(3)]
    sent = []
    for worker in workers:
        sent.append(worker.ask_for_work(30, wait=20))
        worker.fence()
    for number, (worker, call) in enumerate(zip(workers, sent, strict=True)):
        adder.add("s", [f"k{number}"])
        answer = worker.collect(call, 2)
        assert answer is not None, "work was there, and who waited longest was not told"
        assert [unit["key"] for unit in answer["units"]] == [f"k{number}"]
