"""Ended units are forgotten in small steps, the oldest first, and go on being counted."""

import pytest
from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from coordinate_server.model.calls import Need
from coordinate_server.model.endings import Endings
from coordinate_server.model.unit import Unit
from coordinate_server.model.units import Units
from tests.model.conftest import House

AVAILABLE, FINISHED, FAILED = 1, 4, 5
KEYS = [f"k{number}" for number in range(9)]
SPECS = ["s", "t"]


def keys_of(house, spec="s", states=None):
    """The keys of a spec's units that are in memory."""
    return [key.decode() for key, _ in house.space.list_units(house.at, spec, states)]


def end(house, *keys, spec="s", status=FINISHED):
    """Have units end, a second after each other."""
    for key in keys:
        house.advance(1)
        house.update(spec, key, status=status)


def retain_all(house, most=100):
    """Go through one round; gives how many steps that took."""
    steps = 1
    while house.model.retain(house.at, most):
        steps += 1
    return steps


def needs(*keys):
    """Needs of a unit, hard ones, on units of the same spec."""
    return tuple(Need("s", key.encode()) for key in keys)


def test_the_newest_stay_and_all_are_counted(house):
    """Of each kind of end as many stay as the spec says, whatever their keys."""
    house.spec("s", limit_completed_count=2)
    house.add("s", *"abcdefg")
    end(house, *"cab")
    end(house, *"gfe", status=FAILED)
    retain_all(house)
    assert keys_of(house) == ["a", "b", "d", "e", "f"]
    assert house.counts("s") == {AVAILABLE: 1, FINISHED: 3, FAILED: 3}


def test_age_is_counted_on_the_wall_clock(house):
    """A unit goes when more seconds than the limit have passed since its end."""
    house.spec("s", limit_completed_age=10)
    house.add("s", "a", "b")
    end(house, "a", "b")
    house.advance(9)
    retain_all(house)
    assert keys_of(house) == ["a", "b"]
    house.advance(1)
    retain_all(house)
    assert keys_of(house) == ["b"]


def test_the_limits_of_a_spec_go_before_the_servers(house):
    """A spec that says nothing has those of the server; one that does has its own."""
    house.settings = evolve(house.settings, limit_completed_count=1)
    house.restart()
    house.spec("s", limit_completed_count=3)
    house.spec("t")
    for spec in SPECS:
        house.add(spec, *"abcd")
        end(house, *"abcd", spec=spec)
    retain_all(house)
    assert keys_of(house, "s") == ["b", "c", "d"]
    assert keys_of(house, "t") == ["d"]


def test_a_step_takes_no_more_than_it_is_told(house):
    """Ten units over the limit, three at a time, with a spec that is looked at."""
    house.spec("s", limit_completed_count=0)
    house.add("s", *"abcdefghij")
    end(house, *"abcdefghij")
    house.commit()
    assert house.model.retain(house.at, 3)
    assert keys_of(house) == list("defghij")
    deleted = [change for change in house.commit() if change[0] == 1]
    assert len(deleted) == 2 * 3
    retain_all(house, 3)
    assert keys_of(house) == []


def test_a_step_goes_on_with_the_spec_after_the_last_one(house):
    """However small the steps are, each spec has its turn."""
    for spec in "abc":
        house.spec(spec, limit_completed_count=0)
        house.add(spec, "k")
        end(house, "k", spec=spec)
    assert retain_all(house, 1) >= 3
    assert [keys_of(house, spec) for spec in "abc"] == [[], [], []]


def test_what_had_ended_before_is_read_in_slices(house):
    """A limit that comes late stops nobody, and forgets nothing before it knows the oldest."""
    house.spec("s")
    keys = [f"{number:03}" for number in range(100)]
    house.add("s", *keys)
    end(house, *reversed(keys))
    house.spec("s", limit_completed_count=99)
    for _ in range(100 // 4):
        assert house.model.retain(house.at, 1)
        assert len(keys_of(house)) == 100
    end(house, keys[50], status=AVAILABLE)
    end(house, keys[50])
    retain_all(house, 1)
    assert keys_of(house) == keys[:-1]


def test_without_limits_nothing_is_kept_in_order(house):
    """A spec whose units all stay pays nothing for it; a limit that comes later finds them."""
    house.spec("s")
    house.add("s", *"abc")
    end(house, *"abc")
    assert house.space._rosters["s"].endings is None
    retain_all(house)
    assert keys_of(house) == ["a", "b", "c"]
    house.spec("s", limit_completed_count=1)
    retain_all(house)
    assert keys_of(house) == ["c"]
    house.spec("s")
    assert house.space._rosters["s"].endings is None


def test_a_unit_that_begins_anew_is_as_old_as_its_last_end(house):
    """Its first end is forgotten, and while it runs it is no ended unit."""
    house.spec("s", limit_completed_count=1)
    house.add("s", "a", "b", "c")
    end(house, "a", "b")
    house.update("s", "a", status=AVAILABLE)
    end(house, "c", "a")
    retain_all(house)
    assert keys_of(house) == ["a"]


def test_what_waited_has_heard_of_the_end_before_a_unit_is_forgotten(house):
    """A unit that needs two runs after the second, though the first is gone by then."""
    house.spec("s", limit_completed_count=0)
    house.add("s", "a", "b")
    house.add("s", "c", needs=needs("a", "b"))
    end(house, "a")
    retain_all(house)
    assert keys_of(house) == ["b", "c"]
    house.restart()
    end(house, "b")
    retain_all(house)
    assert house.unit("s", "c").status == AVAILABLE


def test_a_deleted_spec_is_looked_at_no_more(house):
    """Also when a round is on its way."""
    for spec in "ab":
        house.spec(spec, limit_completed_count=0)
        house.add(spec, "k", "l")
        end(house, "k", "l", spec=spec)
    assert house.model.retain(house.at, 1)
    house.space.delete_spec(house.at, "a")
    retain_all(house)
    assert keys_of(house, "b") == []


def test_deleting_all_units_forgets_what_was_counted(house):
    """And those that are added after it are counted from zero."""
    house.spec("s", limit_completed_count=1)
    house.add("s", *"abc")
    end(house, *"abc")
    retain_all(house)
    assert house.space.delete_units(house.at, "s", all=True) == 3
    house.add("s", "d")
    end(house, "d")
    retain_all(house)
    assert house.counts("s") == {FINISHED: 1}
    assert keys_of(house) == ["d"]


def test_units_that_end_again_and_again_leave_no_more_than_twice_their_number():
    """What is in no order any more is swept out."""
    unit = Unit(b"k", b"\xa0", status=FINISHED, ended=0.0)
    units = Units()
    units.add(unit)
    endings = Endings(units)
    for moment in range(5000):
        unit.ended = float(moment)
        endings.note(unit)
    seen = 0
    while endings.first(FINISHED) is not None:
        endings.drop_first(FINISHED)
        seen += 1
    assert seen <= 2 * 1 + 1024 + 1


@pytest.mark.parametrize("most", [1, 2, 7])
def test_a_restart_in_the_middle_ends_the_same(most):
    """A restart after each step that forgot something changes nothing of what is left."""
    ends = []
    for restarts in (False, True):
        house = House()
        house.spec("s", limit_completed_count=2)
        house.add("s", *KEYS)
        for key in reversed(KEYS):
            house.update("s", key, status=FINISHED)  # all at one moment: the keys decide
        left = KEYS
        while house.model.retain(house.at, most):
            if restarts and keys_of(house) != left:
                left = keys_of(house)
                house.restart()
        ends.append((keys_of(house), house.counts("s")))
    assert ends[0] == ends[1] == (KEYS[-2:], {FINISHED: len(KEYS)})


class RetentionMachine(RuleBasedStateMachine):
    """Two specs beside dicts that remember every unit; the limits change, and steps are small."""

    def __init__(self):
        super().__init__()
        self.house = House(ended_kept=0)
        self.limits: dict[str, tuple[int | None, int | None]] = {}
        self.ended: dict[str, dict[str, float]] = {}
        self.all: dict[str, dict[str, int]] = {}
        for spec in SPECS:
            self.house.spec(spec)
            self.limits[spec], self.all[spec], self.ended[spec] = (None, None), {}, {}

    @rule(
        spec=st.sampled_from(SPECS),
        count=st.none() | st.integers(0, 4),
        age=st.none() | st.integers(0, 9),
    )
    def limit(self, spec, count, age):
        self.house.spec(spec, limit_completed_count=count, limit_completed_age=age)
        self.limits[spec] = (count, age)

    @rule(spec=st.sampled_from(SPECS), keys=st.lists(st.sampled_from(KEYS), max_size=5))
    def add(self, spec, keys):
        self.house.add(spec, *keys)
        for key in keys:
            self.all[spec][key] = AVAILABLE
            self.ended[spec].pop(key, None)

    @rule(
        spec=st.sampled_from(SPECS),
        key=st.sampled_from(KEYS),
        status=st.sampled_from([AVAILABLE, FINISHED, FAILED]),
    )
    def update(self, spec, key, status):
        before = self.all[spec].get(key)
        if before is None:
            return
        self.house.update(spec, key, status=status)
        if before != status and (before, status) != (FINISHED, FAILED):
            self.all[spec][key] = status
            self.ended[spec].pop(key, None)
            if status != AVAILABLE:
                self.ended[spec][key] = self.house.at.wall

    @rule(spec=st.sampled_from(SPECS), key=st.sampled_from(KEYS))
    def delete(self, spec, key):
        self.house.space.delete_units(self.house.at, spec, [key.encode()])
        self.all[spec].pop(key, None)
        self.ended[spec].pop(key, None)

    @rule(seconds=st.integers(-3, 6))
    def wall_clock_moves(self, seconds):
        at = self.house.at
        self.house.at = evolve(at, now=at.now + abs(seconds), wall=at.wall + seconds)

    @rule()
    def restart(self):
        self.house.restart()

    @rule(most=st.integers(1, 3))
    def step(self, most):
        before = {spec: self.house.counts(spec) for spec in SPECS}
        self.house.model.retain(self.house.at, most)
        assert {spec: self.house.counts(spec) for spec in SPECS} == before
        assert sum(self.take_gone(spec) for spec in SPECS) <= most

    @rule(most=st.integers(1, 3))
    def some_leave_memory(self, most):
        self.house.commit()
        self.house.model.shelve(most)

    @rule(most=st.integers(1, 3))
    def rounds(self, most):
        """Two: the first may have begun before the last change."""
        for _ in range(2):
            retain_all(self.house, most)
        for spec in SPECS:
            self.take_gone(spec)
            assert not self.beyond(spec)

    @rule()
    def archive(self):
        self.house.space.archive(self.house.at)
        for spec in SPECS:
            self.take_gone(spec)
            assert not self.beyond(spec)

    def beyond(self, spec):
        """The keys that have to go."""
        count, age = self.limits[spec]
        going = set()
        for status in (FINISHED, FAILED):
            ended = [(w, k) for k, w in self.ended[spec].items() if self.all[spec][k] == status]
            ended.sort(reverse=True)
            going |= {k for w, k in ended if age is not None and self.house.at.wall - w > age}
            going |= set() if count is None else {k for _, k in ended[count:]}
        return going

    def take_gone(self, spec):
        """See that only what has to go has gone, and forget it; gives how many."""
        gone = self.all[spec].keys() - set(keys_of(self.house, spec))
        assert gone <= self.beyond(spec)
        for key in gone:
            del self.all[spec][key], self.ended[spec][key]
        return len(gone)

    @invariant()
    def nothing_else_is_touched(self):
        for spec in SPECS:
            assert set(keys_of(self.house, spec)) == set(self.all[spec])
            for key, status in self.all[spec].items():
                assert self.house.unit(spec, key).status == status


TestRetentionMachine = RetentionMachine.TestCase
