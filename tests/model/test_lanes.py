"""The queues of one spec's units: their order, turns, and limits by what is in the units' data."""

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from coordinate_protocol.codec import encode
from coordinate_protocol.constants import AVAILABLE, DELAYED, FINISHED, PENDING
from coordinate_server.model import lanes, turns
from coordinate_server.model.lanes import LaneQueue
from coordinate_server.model.queue import ReadyQueue, entries_before
from coordinate_server.model.unit import Unit
from coordinate_server.model.units import Units

NONE = "no value"


class House:
    """Does to a queue what a roster does.

    Arguments:
        fair: the key whose values take turns.
        serial: the key of whose values each is limited.
        most: how many units may be pending for one value.
    """

    def __init__(self, fair=None, serial=None, most=1):
        self.units = Units()
        self.queue = LaneQueue(self.units, fair, serial, most)

    def add(self, key, data, priority=0, status=AVAILABLE):
        unit = Unit(key, data, priority, status)
        self.units.add(unit)
        self.enter(unit)
        return unit

    def enter(self, unit):
        if unit.status == AVAILABLE:
            self.queue.push(unit)
        elif unit.status == PENDING:
            self.queue.took(unit)

    def leave(self, unit):
        if unit.status == AVAILABLE:
            self.queue.left(unit)
        elif unit.status == PENDING:
            self.queue.returned(unit)

    def change(self, unit, status, priority=None):
        self.leave(unit)
        unit.status = status
        unit.priority = unit.priority if priority is None else priority
        self.enter(unit)

    def replace(self, unit, data):
        if unit.data != data:
            unit.data = data
            if unit.status == AVAILABLE:
                self.queue.push(unit)

    def remove(self, unit):
        self.leave(unit)
        self.units.remove(unit)

    def refill(self):
        self.queue.fill()

    def take(self):
        """Hand the next unit out; gives it, or None."""
        unit = self.queue.first()
        assert self.queue.first() is unit
        if unit is not None:
            self.change(unit, PENDING)
        return unit

    def taken(self, number):
        """Hand so many units out; gives their keys."""
        return [unit.key.decode() for unit in (self.take() for _ in range(number)) if unit]

    def back_log(self, names, number=20, **fields):
        """Add so many units of each value, as of both keys."""
        for name in names:
            for index in range(number):
                data = encode({"fair": name, "serial": name})
                self.add(f"{name}{index:03}".encode(), data, **fields)


# ---- the state machine ----

KEYS = st.sampled_from([b"k0", b"k1", b"k2", b"k3", b"k4", b"k5", b"k6", b"k7"])
PRIORITIES = st.sampled_from([-1, 0, 0, 0, 2.5])
VALUES = (NONE, "a", "b", "c")


def _data(fair, serial, style):
    given = {"fair": fair, "serial": serial, "more": 1}
    pairs = {name: value for name, value in given.items() if value is not NONE}
    return encode({name.encode(): v for name, v in pairs.items()} if style else pairs)


CONTENTS = {
    _data(fair, serial, style): (fair, serial)
    for fair in VALUES
    for serial in VALUES
    for style in (False, True)
}
CONTENTS |= dict.fromkeys((encode(["fair"]), encode(7), b"\xa1dfair", b""), (NONE, NONE))
DATA = st.sampled_from([_data(fair, serial, False) for fair in "abc" for serial in "ab"])
DATA |= st.sampled_from(sorted(CONTENTS))


class Oracle:
    """What the queue should say, by a look at every unit for every question.

    Arguments:
        units: by key.
        fair: whether values of the one key take turns.
        serial: which of the two values is limited, 0 or 1; None for none.
        most: by how many pending units.
    """

    def __init__(self, units, fair, serial, most):
        self.units, self.fair, self.serial, self.most = units, fair, serial, most
        # What each pending unit has taken, and each value's place in the round.
        self.taken, self.places, self.last = {}, {}, 0
        # The unit that left just now, its data and its value's place.
        self.left: tuple[Unit, bytes, int] | None = None

    def turn(self, unit):
        return CONTENTS[unit.data][0] if self.fair else NONE

    def value(self, unit):
        return NONE if self.serial is None else CONTENTS[unit.data][self.serial]

    def waiting(self):
        return [unit for unit in self.units.values() if unit.status == AVAILABLE]

    def holders(self, value):
        return [unit for unit, taken in self.taken.items() if taken == value != NONE]

    def is_full(self, unit):
        return len(self.holders(self.value(unit))) >= self.most

    def rank(self, unit):
        return -unit.priority, self.places[self.turn(unit)], unit.key

    def runnable(self):
        return sorted((u for u in self.waiting() if not self.is_full(u)), key=self.rank)

    def ahead(self, unit):
        runnable = self.runnable()
        same = [other for other in runnable if self.turn(other) == self.turn(unit)]
        own = [u for u in same if (-u.priority, u.key) < (-unit.priority, unit.key)]
        before = {self.turn(other) for other in runnable if self.rank(other) < self.rank(unit)}
        return len(own) + len(before - {self.turn(unit)})

    # ---- what happens ----

    def settle(self):
        """Forget the places of values that nothing waits with, and give new ones their last."""
        waiting = {self.turn(unit): None for unit in self.waiting()}
        self.places = {turn: place for turn, place in self.places.items() if turn in waiting}
        for turn in waiting:
            if turn not in self.places:
                self.serve(turn)

    def serve(self, turn):
        self.last += 1
        self.places[turn] = self.last

    def just_left(self, unit):
        """Give the place of a unit's value, if the unit was here until now, with the same data."""
        if unit.status == AVAILABLE:
            return self.places[self.turn(unit)]
        if self.left is None or self.left[:2] != (unit, unit.data):
            return None
        return self.left[2]

    def leaves(self, unit):
        """A unit is about to change: it may be available or pending now."""
        self.taken.pop(unit, None)
        if unit.status == AVAILABLE:
            self.left = (unit, unit.data, self.just_left(unit))

    def comes(self, unit, place):
        """A unit has changed.

        Arguments:
            unit: the unit as it is.
            place: the place of its value, if it was here until now; None if not.
        """
        turn = self.turn(unit)
        if unit.status in (AVAILABLE, PENDING):
            self.left = None
        if unit.status == AVAILABLE and place is not None:
            self.places.setdefault(turn, place)
        self.settle()
        if unit.status == PENDING:
            self.taken[unit] = self.value(unit)
            if place is not None and turn in self.places:
                self.serve(turn)


class LaneMachine(RuleBasedStateMachine):
    """Does the same to a queue and to the oracle, and compares all there is to see."""

    fair: str | None = None
    serial: str | None = None
    most = 1

    def __init__(self):
        super().__init__()
        self.house = House(self.fair, self.serial, self.most)
        self.units, self.queue = self.house.units, self.house.queue
        self.oracle = self.make_oracle()

    def make_oracle(self):
        limited = None if self.serial is None else int(self.serial == "serial")
        return Oracle(self.units, self.fair is not None, limited, self.most)

    def go(self, unit, status, priority=None):
        place = self.oracle.just_left(unit)
        self.oracle.leaves(unit)
        self.house.change(unit, status, priority)
        self.oracle.comes(unit, place)

    @initialize(data=st.lists(DATA, min_size=8, max_size=8))
    def begin_with_work(self, data):
        for index, one in enumerate(data):
            self.add(b"k%d" % index, one, 0)

    @rule(key=KEYS, data=DATA, priority=PRIORITIES)
    def add(self, key, data, priority):
        if key in self.units:
            self.replace(key, data)
        else:
            self.oracle.comes(self.house.add(key, data, priority), None)

    @rule(number=st.integers(1, 4))
    def hand_out(self, number):
        while number and self.oracle.runnable():
            best = self.oracle.runnable()[0]
            assert self.queue.first() is best
            self.go(best, PENDING)
            number -= 1

    @rule(key=KEYS, status=st.sampled_from([AVAILABLE, AVAILABLE, PENDING, DELAYED, FINISHED]))
    def change(self, key, status):
        if key in self.units:
            self.go(self.units[key], status)

    @rule(key=KEYS, priority=PRIORITIES)
    def prioritize(self, key, priority):
        if key in self.units:
            self.go(self.units[key], self.units[key].status, priority)

    @precondition(lambda self: self.oracle.taken)
    @rule(which=st.integers(0, 9), status=st.sampled_from([AVAILABLE, FINISHED]))
    def give_back(self, which, status):
        pending = list(self.oracle.taken)
        self.go(pending[which % len(pending)], status)

    @rule(key=KEYS, data=DATA)
    def replace(self, key, data):
        unit = self.units.get(key)
        if unit is None or unit.data == data:
            return
        turn, place = self.oracle.turn(unit), self.oracle.just_left(unit)
        self.house.replace(unit, data)
        if unit.status == AVAILABLE:
            self.oracle.comes(unit, place if turn == self.oracle.turn(unit) else None)

    @rule(key=KEYS)
    def remove(self, key):
        if key in self.units:
            self.oracle.leaves(self.units[key])
            self.house.remove(self.units[key])
            self.oracle.settle()

    @rule()
    def refill(self):
        self.house.refill()
        self.oracle = self.make_oracle()
        for unit in self.units.values():
            if unit.status == PENDING:
                self.oracle.taken[unit] = self.oracle.value(unit)
        self.oracle.settle()

    @invariant()
    def the_next_is_the_best_that_may_go(self):
        expected = [*self.oracle.runnable(), None][0]
        assert self.queue.first() is expected
        assert self.queue.first() is expected

    @invariant()
    def full_values_hold_back(self):
        waiting = self.oracle.waiting()
        held = [unit for unit in waiting if self.oracle.is_full(unit)]
        assert self.queue.held_back() == len(held)
        assert self.queue.holds_back() == bool(waiting and len(held) == len(waiting))
        for unit in waiting:
            value = self.oracle.value(unit)
            full = (value, self.oracle.holders(value)) if unit in held else None
            assert self.queue.full_lane(unit) == full

    @invariant()
    def what_is_ahead_is_counted(self):
        for unit in self.oracle.waiting():
            expected = self.oracle.ahead(unit)
            assert self.queue.ahead(unit, 1000) == expected
            assert self.queue.ahead(unit, 2) == min(2, expected)


@pytest.mark.parametrize("slack", [0, 64])
@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.parametrize(
    "fair,serial",
    [("fair", None), (None, "serial"), ("fair", "serial"), ("fair", "fair")],
)
def test_queue_does_as_the_oracle(fair, serial, most, slack, monkeypatch):
    """Whatever becomes of units and their data, the queue says what sorting them all says."""
    monkeypatch.setattr(turns, "_SLACK", slack)
    monkeypatch.setattr(lanes, "_SLACK", slack)
    machine = type("Machine", (LaneMachine,), {"fair": fair, "serial": serial, "most": most})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=30))


# ---- turns ----


@pytest.mark.parametrize("number", range(20))
def test_backlogged_values_differ_by_one_hand_out_at_most(number, seed):
    """At any time each value has had its share, rounded down or up, in whatever order they came."""
    rng, house = random.Random(seed + number), House(fair="fair")
    names = [f"v{i}" for i in range(rng.randint(1, 12))]
    keys = [(name, index) for name in names for index in range(30)]
    rng.shuffle(keys)
    for name, index in keys:
        house.add(f"{index}{name}".encode(), encode({"fair": name}))
    counts = Counter(dict.fromkeys(names, 0))
    for _ in range(len(keys)):
        for _ in range(rng.randint(0, 2)):
            house.queue.first()
        counts[house.take().key.decode().lstrip("0123456789")] += 1
        assert max(counts.values()) - min(counts.values()) <= 1


def test_values_take_turns_and_their_units_go_by_key():
    """The value served longest ago is next, and of its units the one with the lowest key."""
    house = House(fair="fair")
    house.back_log("ba", 2)
    assert house.taken(5) == ["b000", "a000", "b001", "a001"]


def test_higher_priority_goes_first_whoever_has_it():
    """Turns are taken among equal priorities only, and a turn counts whatever it was for."""
    house = House(fair="fair")
    house.back_log("ab", 2)
    house.back_log("c", 2, priority=1)
    assert house.taken(2) == ["c000", "c001"]
    house.add(b"a-urgent", encode({"fair": "a"}), 5)
    assert house.taken(4) == ["a-urgent", "b000", "a000", "b001"]


def test_value_that_comes_joins_at_the_end_of_the_round():
    """Nobody is owed what was handed out before; a value that ran empty begins anew too."""
    house = House(fair="fair")
    house.back_log("a", 1)
    house.back_log("bc", 5)
    assert house.taken(2) == ["a000", "b000"]
    house.back_log("ad", 2)
    assert house.taken(4) == ["c000", "b001", "a000", "d000"]


@pytest.mark.parametrize("how", ["prioritize", "replace", "add again"])
def test_touching_a_waiting_unit_does_not_cost_its_turn(how):
    """A value whose only unit is changed over and over is not put off for ever."""
    house = House(fair="fair")
    only = house.add(b"only", encode({"fair": "a"}))
    house.back_log("b", 5)
    assert house.taken(1) == ["only"]
    house.change(only, AVAILABLE)
    for number in range(2):
        if how == "replace":
            house.replace(only, encode({"fair": "a", "n": number}))
        else:
            house.change(only, AVAILABLE, number if how == "prioritize" else None)
            house.change(only, AVAILABLE, 0)
        assert house.taken(1) == [["b000", "only"][number]]


def test_unit_that_is_taken_by_hand_is_its_values_turn():
    """Who takes a unit that is not the next has had the turn of its value."""
    house = House(fair="fair")
    house.back_log("ab", 3)
    house.change(house.units[b"a002"], PENDING)
    assert house.taken(2) == ["b000", "a000"]


def test_unit_that_did_not_wait_takes_no_turn():
    """A delayed unit that somebody takes was not handed out."""
    house = House(fair="fair")
    late = house.add(b"late", encode({"fair": "a"}), status=DELAYED)
    house.back_log("ab", 3)
    house.change(late, PENDING)
    assert house.taken(2) == ["a000", "b000"]


# ---- limits ----


@pytest.mark.parametrize("most", [1, 2, 3])
def test_no_more_units_of_a_value_are_pending_than_may_be(most):
    """Of each value so many, and one more for each that comes back."""
    house = House(serial="serial", most=most)
    house.back_log("ab", 5)
    taken = [house.take() for _ in range(2 * most)]
    assert Counter(unit.key[:1] for unit in taken) == {b"a": most, b"b": most}
    assert house.take() is None
    assert house.queue.held_back() == 10 - 2 * most
    house.change(taken[-1], FINISHED)
    assert house.taken(2) == [f"b{most:03}"]
    house.change(taken[0], AVAILABLE)
    assert house.take() is taken[0]


def test_units_without_a_value_are_not_limited():
    """Nor are those with data that are no map, cannot be read, or hold null there."""
    house = House(serial="serial")
    contents = [encode(7), encode({"serial": None}), b"\xa1\x66serial", encode(["serial"]), b""]
    for index, data in enumerate(contents * 2):
        house.add(b"k%d" % index, data)
    assert len(house.taken(20)) == 10
    assert not house.queue.holds_back()


def test_full_value_says_which_it_is_and_who_holds_it():
    """The value comes back as it is in the data, for people to read."""
    house = House(serial="serial")
    value = {"host": "h", "port": [1, 2.5, None, b"x"]}
    for key in (b"a", b"b"):
        house.add(key, encode({"serial": value}))
    holder, waiting = house.take(), house.units[b"b"]
    assert house.queue.full_lane(waiting) == (value, [holder])
    house.change(holder, FINISHED)
    assert house.queue.full_lane(waiting) is None


def test_lane_that_was_taken_is_the_lane_that_is_freed():
    """Other data of a pending unit change what it will wait for, not what it holds."""
    house = House(serial="serial")
    house.back_log("ab", 2)
    holder = house.take()
    house.replace(holder, encode({"serial": "b"}))
    assert house.taken(5) == ["b000"]
    house.change(holder, AVAILABLE)
    assert holder.key == b"a000"
    assert house.taken(5) == ["a001"]
    assert house.queue.full_lane(holder) == ("b", [house.units[b"b000"]])


@pytest.mark.parametrize("key", ["fair", "serial"])
def test_waiting_unit_with_other_data_waits_elsewhere(key):
    """Its old place does not count any more, and its new one does at once."""
    house = House(serial="serial") if key == "serial" else House(fair="fair")
    house.back_log("a", 3)
    house.back_log("b", 1)
    house.replace(house.units[b"a000"], encode({"fair": "c", "serial": "c"}))
    expected = {"fair": ["a001", "b000", "a000", "a002"], "serial": ["a000", "a001", "b000"]}
    assert house.taken(5) == expected[key]


@pytest.mark.parametrize("status", [AVAILABLE, PENDING])
def test_data_of_a_unit_that_is_away_count_when_it_comes_back(status):
    """Between leaving and coming back its data may become others."""
    house = House(serial="serial")
    house.back_log("ab", 2)
    unit = house.units[b"a000"]
    house.change(unit, DELAYED)
    house.replace(unit, encode({"serial": "b"}))
    house.change(unit, status)
    if status == AVAILABLE:
        assert house.taken(5) == ["a000", "a001"]
    else:
        assert house.taken(5) == ["a001"]


def test_limit_that_was_lowered_is_kept_from_now_on():
    """More may be pending than may be; none is handed out until enough came back."""
    house = House(serial="serial", most=3)
    house.back_log("a", 6)
    taken = [house.take() for _ in range(3)]
    house.queue = LaneQueue(house.units, None, "serial", 1)
    house.refill()
    for unit in taken:
        assert house.take() is None
        house.change(unit, FINISHED)
    assert house.taken(2) == ["a003"]


def test_turns_and_limits_go_together():
    """A value whose turn it is, but which may not go, is passed over, and is next when it may."""
    house = House(fair="fair", serial="serial")
    for key, fair, serial in [("a1", "a", "x"), ("b1", "b", "x"), ("c1", "c", "y"), ("c2", "c", 0)]:
        house.add(key.encode(), encode({"fair": fair, "serial": serial}))
    first = house.take()
    assert house.taken(1) == ["c1"]
    house.change(first, FINISHED)
    assert house.taken(3) == ["b1", "c2"]


@pytest.mark.parametrize("number", range(10))
def test_everything_is_handed_out_in_the_end(number, seed):
    """With any number of values of both keys, each unit goes once and no limit is passed."""
    rng = random.Random(seed + number)
    most, pending = rng.randint(1, 3), []
    house = House("fair", rng.choice(["serial", "fair"]), most)
    for index in range(400):
        fair, serial = rng.randint(0, number), rng.randint(0, number * 3)
        house.add(b"%03d" % index, encode({"fair": fair, "serial": serial}), rng.randint(0, 1))
    handed: list[bytes] = []
    while len(handed) < 400:
        unit = house.take()
        if unit is not None:
            pending.append(unit)
            handed.append(unit.key)
        if unit is None or rng.random() < 0.4:
            house.change(pending.pop(rng.randrange(len(pending))), FINISHED)
        busy = Counter(house.queue._value(unit, house.queue._serial_key) for unit in pending)
        assert max(busy.values(), default=0) <= most
    assert len(set(handed)) == 400
    assert house.take() is None


# ---- values ----


@pytest.mark.parametrize(
    "one,other",
    [(1, 1.0), (1, True), (0, False), ("a", b"a"), ([1], (1,)), (1, "1"), ("", b""), ({}, [])],
)
def test_values_of_different_types_are_different(one, other):
    """A value is what it is on the wire; what Python calls equal may be two."""
    house = House(serial="serial")
    house.add(b"k1", encode({"serial": one}))
    house.add(b"k2", encode({"serial": other}))
    assert house.taken(3) == ["k1", "k2"]


@pytest.mark.parametrize("value", ["text", 7, -1.5, b"bytes", [1, ["x"]], {"a": {"b": 1}}, 2**70])
def test_equal_values_are_one(value):
    """Whatever can be in data can be a value; 0.1.5's byte strings as names are names."""
    house = House(serial="schlüssel")
    house.add(b"k1", encode({"schlüssel": value}))
    house.add(b"k2", encode({"more": 1, "schlüssel".encode(): value}))
    assert house.taken(3) == ["k1"]


def test_key_deeper_in_the_data_is_no_value():
    """Only the map that the data are is looked at, though the word is in them elsewhere."""
    house = House(serial="serial")
    house.add(b"k1", encode({"more": {"serial": 1}}))
    house.add(b"k2", encode({"more": "serial"}))
    assert house.taken(3) == ["k1", "k2"]


# ---- what it costs ----


@pytest.fixture
def looks(monkeypatch):
    """Counts what is done in a round: each look at a place, and each entry put in a heap."""
    counts: Counter[str] = Counter()
    begin, post = turns.Round.__init__, turns.Round._post

    def counting_begin(self, waits, room):
        def counting(lane, place):
            counts["looks"] += 1
            return waits(lane, place)

        begin(self, counting, room)

    def counting_post(self, *given):
        counts["posts"] += 1
        post(self, *given)

    monkeypatch.setattr(turns.Round, "__init__", counting_begin)
    monkeypatch.setattr(turns.Round, "_post", counting_post)
    return counts


@pytest.mark.parametrize("values", [10, 2000])
@pytest.mark.parametrize(
    "fair,serial",
    [
        (lambda i, n: i % n, lambda i, n: None),
        (lambda i, n: None, lambda i, n: i % n),
        (lambda i, n: i % n, lambda i, n: i % n),
        (lambda i, n: i % n, lambda i, n: 1),
        (lambda i, n: i % n, lambda i, n: i % 3),
        (lambda i, n: i % 3, lambda i, n: i % n),
    ],
    ids=["turns", "limits", "both", "many turns, one limit", "many turns, few limits", "few turns"],
)
def test_hand_out_costs_the_same_with_many_values(fair, serial, values, looks):
    """A few looks for each unit that goes and comes back, however many values wait."""
    house = House("fair", "serial", 1)
    for index in range(4000):
        data = encode({"fair": fair(index, values), "serial": serial(index, values)})
        house.add(b"%04d" % index, data)
    pending, steps = [house.take()], 3000
    # What is full at first is put aside once.
    house.queue.first()
    looks.clear()
    for _ in range(steps):
        unit = house.take()
        if unit is not None:
            pending.append(unit)
        if unit is None or len(pending) > 2:
            house.change(pending.pop(0), FINISHED)
        assert house.queue.holds_back() == (house.queue.first() is None)
    assert looks["looks"] + looks["posts"] < 25 * steps


def test_changing_units_over_and_over_leaves_no_heap_behind():
    """Entries without a meaning are at most about as many as those with one."""
    house = House("fair", "serial", 1)
    house.back_log("abcd", 10)
    for number in range(5000):
        unit = house.units[f"{'abcd'[number % 4]}{number % 10:03}".encode()]
        status = unit.status if number % 3 else (PENDING, AVAILABLE)[number // 3 % 2]
        house.change(unit, status, number)
        house.queue.first()
    found = house.queue._round
    heaps: list[list[Any]] = [found._order, *(turn.open for turn in found._turns.values())]
    heaps += [serial.parked for serial in found._serials.values()]
    heaps += [lane.heap for turn in found._turns.values() for lane in turn.lanes.values()]
    assert max(len(heap) for heap in heaps) < 150


def test_nothing_is_kept_of_values_that_are_gone():
    """Values that come and go, one after another, leave nothing."""
    house = House("fair", "serial", 1)
    for number in range(1000):
        unit = house.add(b"k%d" % number, encode({"fair": number, "serial": number}))
        if number % 2:
            house.change(unit, PENDING)
        house.remove(unit)
    queue = house.queue
    assert not queue._lane_of
    assert not queue._taken_by
    assert not queue._full
    assert not queue._round._turns
    assert not queue._round._serials
    assert len(queue._round._order) <= 64


# ---- without lanes ----


@pytest.mark.parametrize("number", range(5))
def test_ready_queue_counts_what_is_ahead(number, seed):
    """The units of higher priority, and those of the same with a lower key, that still wait."""
    rng = random.Random(seed + number)
    units = Units()
    queue = ReadyQueue(units, lambda: sum(unit.status == AVAILABLE for unit in units.values()))
    for index in range(300):
        unit = Unit(b"%03d" % index, b"", rng.randint(0, 3))
        units.add(unit)
        queue.push(unit)
        if rng.random() < 0.3:
            unit.priority = rng.randint(0, 3)
            queue.push(unit)
    for unit in rng.sample(list(units.values()), 100):
        unit.status = rng.choice([PENDING, DELAYED])
    order = sorted(
        (unit for unit in units.values() if unit.status == AVAILABLE),
        key=lambda unit: (-unit.priority, unit.key),
    )
    assert queue.first() is order[0]
    for index, unit in enumerate(order):
        assert queue.ahead(unit, 1000) == index
        assert queue.ahead(unit, 5) == min(5, index)


def test_ready_queue_holds_nothing_back():
    """Without lanes any available unit may go."""
    queue = ReadyQueue(Units(), int)
    unit = Unit(b"k", b"")
    for told in (queue.left, queue.took, queue.returned):
        told(unit)
    assert (queue.held_back(), queue.holds_back(), queue.first()) == (0, False, None)


@pytest.mark.parametrize("size", [0, 1, 2, 3, 10, 100])
def test_entries_before_one_are_those_below_it(size, seed):
    """They are found from the top of the heap, each once."""
    rng = random.Random(seed)
    heap = sorted((rng.randint(0, 20), index) for index in range(size))
    for bound in range(22):
        expected = [entry for entry in heap if entry < (bound, -1)]
        assert sorted(entries_before(heap, (bound, -1))) == expected
