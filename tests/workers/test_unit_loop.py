"""The loop of a worker: what it fetches, runs, tells and gives back, and in which messages."""

import threading

import pytest

from coordinate_client.workers.running import Runner, RunnerSettings
from coordinate_client.workers.unit_loop import LoopTimes, UnitLoop
from coordinate_client.workers.wanted import MemoryGauge, WantedUnits
from coordinate_client.workers.watcher import Watcher
from tests.client.scripted import FakeClock
from tests.workers import code
from tests.workers.master import AWAY, Master
from tests.workers.running.desk import FakeAlarms


class Notes(Watcher):
    """Notes what begins and ends."""

    def __init__(self):
        self.noted = []

    def began(self, unit, limit):
        self.noted.append(("began", unit.key, limit))

    def ended(self, unit):
        self.noted.append(("ended", unit.key))


class House:
    """A loop, its server, and the clocks."""

    def __init__(self, *keys, most=1, **times):
        self.master = Master(list(keys))
        self.alarms = FakeAlarms()
        self.clock = FakeClock()
        self.watcher = Notes()
        self.runner = Runner(RunnerSettings(), kills=False)
        gauge = MemoryGauge(measure=lambda: 1.0)
        self.loop = UnitLoop(
            self.master,  # type: ignore[arg-type] # it does as one
            self.runner,
            WantedUnits("w", most, gauge=gauge),
            self.watcher,
            self.alarms,  # type: ignore[arg-type] # so do they
            times=LoopTimes(**times),
            clock=self.clock,
        )
        self.master.on_wait = [self.loop.stop]

    def run(self):
        ran = self.loop.run()
        return ran, self.told

    @property
    def told(self):
        return [one for one in self.master.told if one != ("close",)]


@pytest.fixture(autouse=True)
def hooks(monkeypatch):
    """What units do, by key."""
    found: dict = {}
    monkeypatch.setattr(code, "HOOKS", found)
    return found


def test_what_is_done_travels_with_the_next_fetch():
    """One message a unit, and then one that waits."""
    assert House("a", "b").run() == (
        2,
        [
            ("get_work", "a"),
            ("finish", "a"),
            ("get_work", "b"),
            ("finish", "b"),
            ("get_work",),
            ("get_work",),
        ],
    )


def test_a_batch_is_told_in_one_message():
    """With the next batch."""
    ran, told = House("a", "b", "c", most=2).run()
    assert ran == 3
    assert told[:3] == [("get_work", "a", "b"), ("finish", "a", "b"), ("get_work", "c")]


def test_what_is_done_is_told_soon_when_the_next_unit_takes_long(hooks):
    """Nobody who waits for it has to wait for the others of its batch."""
    house = House("a", "b", most=2)
    hooks["b"] = lambda unit: house.alarms.move(0.1)
    _, told = house.run()
    assert told[:3] == [("get_work", "a", "b"), ("finish", "a"), ("finish", "b")]


@pytest.mark.parametrize("lease, seconds", [(300.0, 30), (20.0, 10)])
def test_what_is_not_begun_is_given_back_when_it_takes_long(hooks, lease, seconds):
    """After half a minute, or half of the lease."""
    house = House("a", "b", "c", most=3)
    house.master.lease = lease
    hooks["a"] = lambda unit: (house.alarms.move(seconds - 0.5), house.alarms.move(0.6))
    ran, told = house.run()
    assert told[:2] == [("get_work", "a", "b", "c"), ("released", "b", "c")]
    assert ran == 1


def test_a_fast_batch_gives_nothing_back():
    """What was to remind of it is forgotten."""
    house = House("a", "b", "c", most=3)
    house.run()
    assert house.alarms.waiting == []


def test_a_unit_that_fails_is_told_at_once():
    """And the next one is fetched by a message of its own."""
    house = House("a", "b")
    assert house.master.spec is not None
    house.master.spec["run_function"] = "fails"
    ran, told = house.run()
    assert ran == 2
    assert told[:4] == [("get_work", "a"), ("failed", "a"), ("get_work", "b"), ("failed", "b")]


def test_a_lost_lease_is_no_error():
    """It is told to the log, and work goes on."""
    house = House("a", "b")
    house.master.lost.add("a")
    assert house.run()[0] == 2


def test_the_spec_is_fetched_once_for_many_units():
    """It is asked for again after some seconds."""
    house = House(*"abcdefgh")
    house.run()
    assert house.master.specs_fetched == 1


def test_units_of_a_spec_that_is_gone_are_not_run():
    """There is nothing to tell: they are gone with it."""
    house = House("a")
    house.master.spec = None
    ran, told = house.run()
    assert (ran, told[:1]) == (0, [("get_work", "a")])


def test_a_server_that_is_away_is_asked_again(hooks, monkeypatch):
    """What was done is told then: to finish a unit twice does no harm."""
    house = House("a")
    house.master.troubles = [AWAY, None, AWAY, AWAY]
    monkeypatch.setattr(house.loop._changed, "wait", lambda seconds: None)
    ran, told = house.run()
    assert (ran, told[:2]) == (1, [("get_work", "a"), ("finish", "a")])


def test_what_failed_while_the_server_was_away_is_told_when_it_is_back(hooks, monkeypatch):
    """It is not run again because of that."""
    house = House("a")
    assert house.master.spec is not None
    house.master.spec["run_function"] = "fails"
    house.master.troubles = [None, AWAY, AWAY, None]
    monkeypatch.setattr(house.loop._changed, "wait", lambda seconds: None)
    ran, told = house.run()
    assert (ran, told[:2]) == (1, [("get_work", "a"), ("failed", "a")])


def test_a_stop_finishes_what_runs_and_gives_back_the_rest(hooks):
    """The server is told before `run` returns."""
    house = House("a", "b", "c", most=3)
    hooks["a"] = lambda unit: house.loop.stop()
    assert house.run() == (
        1,
        [("get_work", "a", "b", "c"), ("released", "b", "c"), ("finish", "a")],
    )


def test_a_stop_now_gives_back_what_runs(hooks):
    """Its code is told so."""
    house = House("a", "b", most=2)

    def runs(unit):
        house.loop.stop_now()
        threading.Event().wait(30)

    hooks["a"] = runs
    _, told = house.run()
    assert told == [("get_work", "a", "b"), ("released", "b"), ("released", "a")]


def test_giving_up_gives_back_what_is_not_begun(hooks):
    """The process is about to end."""
    house = House("a", "b", most=2)
    hooks["a"] = lambda unit: house.loop.give_up()
    assert house.run()[1][1] == ("released", "b")


def test_a_life_ends_some_time_after_its_first_unit(hooks):
    """What was fetched by then is run; a worker that never had any lives on."""
    house = House("a", "b", "c", "d", most=2, lifetime=10)

    def ages(unit):
        house.clock.now += 11

    hooks["a"] = ages
    assert house.run() == (2, [("get_work", "a", "b"), ("finish", "a", "b")])


def test_once_is_until_there_is_no_work():
    """Without waiting."""
    assert House("a", once=True).run() == (
        1,
        [("get_work", "a"), ("finish", "a"), ("get_work",), ("get_work",)],
    )


def test_a_paused_loop_takes_no_work_until_it_goes_on(hooks):
    """What runs is finished, what was not begun is given back."""
    house = House("a", "b", most=2)
    rests = []

    def rest(seconds=None):
        rests.append(seconds)
        house.loop.resume()

    house.loop._rest = rest  # type: ignore[method-assign] # so that the test decides for how long
    hooks["a"] = lambda unit: house.loop.pause()
    ran, told = house.run()
    assert (ran, rests) == (1, [None])
    assert told == [("get_work", "a", "b"), ("released", "b"), ("finish", "a"), ("get_work",)]


def test_those_who_watch_are_told_of_each_unit():
    """With the time that it may take."""
    house = House("a")
    assert house.master.spec is not None
    house.master.spec["max_runtime"] = 9
    house.run()
    assert house.watcher.noted == [("began", "a", 9), ("ended", "a")]


def test_run_once_is_one_fetch():
    """And tells whether there was anything."""
    house = House("a", "b", "c", most=2)
    assert house.loop.run_once()
    assert house.told == [("get_work", "a", "b"), ("finish", "a", "b")]
    assert not House().loop.run_once()


def test_run_once_says_that_the_server_is_away():
    """Whoever asks once has to know."""
    house = House("a")
    house.master.troubles = [AWAY]
    with pytest.raises(type(AWAY)):
        house.loop.run_once()
