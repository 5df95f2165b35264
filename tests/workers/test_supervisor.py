"""The parent of children: whom it starts, whom it ends, and what it tells the server."""

import signal
from typing import Any

import pytest

from coordinate_client.orders import CancelOrder, Orders
from coordinate_client.workers.board import Board, Request, Running
from coordinate_client.workers.children import Child
from coordinate_client.workers.machine import GIB
from coordinate_client.workers.supervisor import Keeping, Supervisor
from coordinate_client.workers.verdicts import Bounds

TERM, USR1, KILL, INT, ABRT = (
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGKILL,
    signal.SIGINT,
    signal.SIGABRT,
)


class FakeChild(Child):
    """A child that is no process."""

    def __init__(self, pid, slot):
        super().__init__(pid, f"child-{pid}", slot)
        self.got = []

    def signal(self, number):
        self.got.append(number)

    def runs(self, key=b"k", attempt=7, **more):
        given = {"lease": 300.0, "expires": 1300.0, **more}
        self.slot.begin(Running("s", key, attempt, 1.0, **given))


class FakeChildren:
    """Children that begin and end when the test says so."""

    def __init__(self, number):
        self.free = list(reversed(Board(number).slots))
        self.alive = []
        self.ended = []
        self.spawned = 0

    def __iter__(self):
        return iter(tuple(self.alive))

    def __len__(self):
        return len(self.alive)

    @property
    def room(self):
        return bool(self.free)

    def spawn(self):
        self.spawned += 1
        slot = self.free.pop()
        child = FakeChild(self.spawned, slot)
        slot.give(child.worker_id)
        self.alive.append(child)

    def ends(self, child, code=0):
        child.status = code << 8 if code >= 0 else -code
        self.alive.remove(child)
        self.ended.append(child)

    def reap(self):
        ended, self.ended = self.ended, []
        return ended

    def release(self, child):
        child.slot.give("")
        self.free.append(child.slot)

    def signal(self, number):
        for child in self:
            child.signal(number)


class FakeMessenger:
    """Notes what the server is told."""

    def __init__(self):
        self.told = []
        self.orders_to_come = []

    def orders(self):
        return self.orders_to_come.pop(0) if self.orders_to_come else None

    def set_mode(self, mode):
        self.told.append(("mode", mode))

    def fail(self, worker_id, running, reason):
        self.told.append(("fail", worker_id, running.key, reason))

    def gone(self, worker_id, running):
        self.told.append(("gone", worker_id, running and running.key))


class FakeSignals:
    """Signals that came."""

    def __init__(self):
        self.come = b""

    def next(self, seconds):
        come, self.come = self.come, b""
        return come


class House:
    """A supervisor among fakes; `turn` is one turn of its loop, but for the wait."""

    def __init__(self, number=2, **keeping):
        self.now = 1000.0
        self.memory: dict[int, int] = {}
        self.children: Any = FakeChildren(number)
        self.messenger: Any = FakeMessenger()
        self.signals: Any = FakeSignals()
        given: dict[str, Any] = {
            "bounds": Bounds(15),
            "poll_interval": 1,
            "spawn_interval": 0.5,
        }
        given |= {"cancel_seconds": 10, "kill_seconds": 5, **keeping}
        self.supervisor = Supervisor(
            self.children,  # type: ignore[arg-type] # they do as those do
            self.messenger,  # type: ignore[arg-type]
            self.signals,  # type: ignore[arg-type]
            Keeping(**given),
            clock=lambda: self.now,
            resident=self.memory.get,
        )
        self.code: int | None = None

    def turn(self, seconds=0.0):
        self.now += seconds
        self.code = self.supervisor.turn()
        return self.children.alive

    def started(self):
        """Both children."""
        self.turn()
        return list(self.turn(0.5))

    def told(self):
        told, self.messenger.told = self.messenger.told, []
        return told

    def order(self, mode="RUN", *cancelled):
        self.messenger.orders_to_come.append(Orders("position", mode, tuple(cancelled), False))


@pytest.fixture
def house():
    """A supervisor of two children."""
    return House()


def test_children_start_one_after_the_other(house):
    """With some time between two, and no more than there is room for."""
    assert len(house.turn()) == 1
    assert len(house.turn(0.4)) == 1
    assert len(house.turn(0.1)) == 2
    assert len(house.turn(10)) == 2


@pytest.mark.parametrize("code", [0, 2])
def test_a_child_that_has_lived_is_followed_by_another(house, code):
    """It has said all by itself."""
    first, _ = house.started()
    house.children.ends(first, code)
    assert len(house.turn(1)) == 2
    assert house.children.spawned == 3
    assert house.told() == []


def test_a_child_that_could_not_work_is_followed_after_a_while(house):
    """Its server may be away: to start over and over helps nobody."""
    first, _ = house.started()
    house.children.ends(first, 1)
    assert len(house.turn(1)) == 1
    assert len(house.turn(1.9)) == 1
    assert len(house.turn(0.1)) == 2


def test_units_of_a_killed_child_can_be_had_at_once(house):
    """The one that it ran counts as a lost lease."""
    first, second = house.started()
    first.runs()
    house.children.ends(first, -9)
    house.children.ends(second, -11)
    house.turn()
    assert house.told() == [("gone", "child-1", b"k"), ("gone", "child-2", None)]


def test_a_first_signal_lets_units_end(house):
    """No child follows, and the supervisor ends with the last."""
    first, second = house.started()
    first.runs()
    house.signals.come = bytes([TERM])
    house.turn()
    assert first.got == second.got == [TERM]
    assert house.told() == [("mode", "TERMINATE")]
    house.children.ends(second)
    assert house.turn(100) == [first]
    assert first.got == [TERM]
    house.children.ends(first)
    house.turn()
    assert house.code == 0


def test_a_second_signal_gives_units_back(house):
    """And kills who does not."""
    first, second = house.started()
    first.runs()
    for number in (INT, TERM):
        house.signals.come = bytes([number])
        house.turn()
    assert (first.got, second.got) == ([TERM, USR1, TERM], [TERM, TERM])
    assert first.slot.request == Request(7, "stopped")
    house.turn(10)
    house.turn(5)
    assert first.got == [TERM, USR1, TERM, TERM, KILL]
    house.children.ends(first, -9)
    house.turn()
    assert house.told() == [("mode", "TERMINATE"), ("gone", "child-1", None)]


def test_an_abort_kills(house):
    """At once; what the children had is given back for them."""
    first, _ = house.started()
    first.runs()
    house.signals.come = bytes([ABRT])
    house.turn()
    assert first.got == [KILL]
    house.children.ends(first, -9)
    house.children.ends(house.children.alive[0], -9)
    house.turn()
    assert house.told()[0] == ("gone", "child-1", b"k")
    assert house.code == 0


def test_a_child_that_does_not_stop_is_killed(house):
    """One that runs nothing has no reason to stay."""
    first, second = house.started()
    second.runs()
    house.signals.come = bytes([TERM])
    house.turn()
    house.turn(5.1)
    assert (first.got, second.got) == ([TERM, KILL], [TERM])


def test_a_unit_that_is_cancelled_is_asked_then_pressed(house):
    """An exception in its code, SIGTERM, SIGKILL: with time to clean up before each."""
    first, second = house.started()
    first.runs(attempt=7)
    second.runs(attempt=8)
    house.order("RUN", CancelOrder("s", b"k", 7, "not needed"))
    house.turn()
    assert first.slot.request == Request(7, "not needed")
    house.turn(9.9)
    # It is reminded each time that the parent looks.
    assert first.got == [USR1, USR1]
    house.turn(0.1)
    house.turn(4.9)
    assert first.got == [USR1, USR1, TERM]
    house.turn(0.1)
    assert first.got == [USR1, USR1, TERM, KILL]
    assert second.got == []
    house.children.ends(first, -9)
    house.turn()
    # The server knows why: it asked for it.
    assert house.told() == [("fail", "child-1", b"k", "not needed"), ("gone", "child-1", None)]


def test_a_unit_that_ends_meanwhile_is_not_pressed(house):
    """Nor is the one after it."""
    first, _ = house.started()
    first.runs(attempt=7)
    house.order("RUN", CancelOrder("s", b"k", 7, None))
    house.turn()
    assert first.slot.request == Request(7, "cancelled")
    first.runs(b"next", 9)
    house.turn(100)
    assert first.got == [USR1]
    first.slot.end()
    house.turn(100)
    assert first.got == [USR1]


def test_a_unit_that_begins_later_is_cancelled_then(house):
    """It waited in a child's batch when the order came."""
    first, _ = house.started()
    house.order("RUN", CancelOrder("s", "k", 7, "why"))
    house.turn()
    assert first.got == []
    first.runs(attempt=7)
    house.turn()
    assert first.got == [USR1]


def test_a_unit_whose_lease_ends_is_failed_at_once_and_asked(house):
    """Before somebody else can have it."""
    first, _ = house.started()
    first.runs(expires=1300.0)
    house.turn(284.4)
    assert house.told() == []
    house.turn(0.2)
    assert house.told() == [("fail", "child-1", b"k", "job expired")]
    assert (first.got, first.slot.request) == ([USR1], Request(7, "job expired"))
    house.turn(10)
    assert first.got == [USR1, TERM]
    house.children.ends(first, -15)
    house.turn()
    assert house.told() == [("gone", "child-1", None)]


def test_a_unit_that_runs_too_long_is_killed_and_failed_then(house):
    """Its code was told at its limit by the child itself."""
    first, _ = house.started()
    first.runs(limit=30.0, until=1030.0)
    house.turn(30)
    assert first.got == []
    house.turn(9.5)
    assert first.got == [TERM]
    house.turn(5)
    assert first.got == [TERM, KILL]
    house.children.ends(first, -9)
    house.turn()
    failed = ("fail", "child-1", b"k", "max_runtime of 30 s exceeded")
    assert house.told() == [failed, ("gone", "child-1", None)]


def test_a_child_that_takes_too_much_memory_is_killed_at_once():
    """And the unit says why, not the system's killer."""
    house = House(bounds=Bounds(15, max_memory_gb=1))
    first, second = house.started()
    first.runs()
    second.runs(b"small")
    house.memory.update({1: 2 * GIB, 2: GIB})
    house.turn()
    reason = "2.00 GiB of memory used, max_memory_gb is 1"
    assert (first.got, second.got) == ([KILL], [])
    assert house.told() == [("fail", "child-1", b"k", reason)]
    house.children.ends(first, -9)
    house.turn()
    assert house.told() == [("gone", "child-1", None)]


def test_an_idle_worker_has_no_children(house):
    """Until it is to run again."""
    first, second = house.started()
    house.order("IDLE")
    house.turn()
    assert first.got == second.got == [TERM]
    for child in (first, second):
        house.children.ends(child)
    assert house.turn(100) == []
    assert house.code is None
    house.order("RUN")
    (third,) = house.turn()
    house.turn(60)
    assert third.got == []
    assert [what for what in house.told() if what[0] == "mode"] == [
        ("mode", "IDLE"),
        ("mode", "RUN"),
    ]


def test_a_worker_that_is_to_terminate_ends(house):
    """As by a signal."""
    children = house.started()
    house.order("TERMINATE")
    house.turn()
    assert [child.got for child in children] == [[TERM], [TERM]]
    for child in children:
        house.children.ends(child)
    house.turn()
    assert house.code == 0


@pytest.mark.parametrize("codes, expected", [((0, 2), 0), ((2, 2), 2), ((2, 1), 1)])
def test_once_is_once_for_each_child(codes, expected):
    """Whether anything ran is the exit status."""
    house = House(once=True)
    for child, code in zip(house.started(), codes, strict=True):
        house.children.ends(child, code)
    house.turn(100)
    assert house.children.spawned == 2
    assert house.code == expected
