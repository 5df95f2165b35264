"""Units that ended long ago are rows alone, and every call finds them as if they were in memory."""

import gc
import tracemalloc
from sys import getsizeof

import pytest
from attrs import evolve

from coordinate_protocol.codec import encode
from coordinate_server.model import Instant, Model, ModelSettings
from coordinate_server.model.calls import EdgeEnd, Need, NewEdge, NewUnit, UnitUpdate
from coordinate_server.model.changes import ATTEMPT, DATA, DELETE, PUT, UNIT
from coordinate_server.model.errors import DamagedRow, NoSuchUnit
from coordinate_server.store.memory import MemoryStore
from tests.model.conftest import House
from tests.model.snapshot import snapshot

AVAILABLE, BLOCKED, PENDING, FINISHED, FAILED = 1, 2, 3, 4, 5


class ReadingHouse(House):
    """A house whose ended units all leave memory when it is told to; it counts what is read."""

    def __init__(self):
        super().__init__(ended_kept=0)
        self.reads = 0

    def load(self, at):
        return self.rows.load(at, self.settings, self)

    def get(self, *arguments, **options):
        """Be the reader, too: of one row."""
        if arguments and isinstance(arguments[0], int):
            self.reads += 1
            return self.rows.get(*arguments)
        return super().get(*arguments, **options)

    def scan(self, *arguments):
        """Be the reader: of a page."""
        self.reads += 1
        return self.rows.scan(*arguments)

    def end(self, spec, *keys, status=FINISHED):
        """Have units handed out and ended, and leave memory."""
        for key in keys:
            self.update(spec, key, status=status)
        self.leave()

    def list(self, spec, states=None, limit=1000, start=None):
        """The keys of a page."""
        found = self.space.list_units(self.at, spec, states, limit, start)
        return [key.decode() for key, _ in found]


@pytest.fixture
def house():
    """A house with ten units, four of which are in memory: 0, 2, 4 and 6 to 9 have left it."""
    house = ReadingHouse()
    house.spec("s")
    house.add("s", *"0123456789", data={"n": 1})
    house.end("s", *"0246789")
    assert house.model.unit_count == 3
    return house


# ---- what leaves ----


def test_the_last_that_ended_stay():
    """As many as the settings say, over all specs."""
    house = ReadingHouse()
    house.settings = evolve(house.settings, ended_kept=3)
    house.restart()
    for spec in "st":
        house.spec(spec)
        house.add(spec, *"abc")
        house.end(spec, *"abc")
    assert [house.space._rosters[spec].units.number_here for spec in "st"] == [0, 3]


def test_nothing_leaves_without_a_store():
    """Where there is nothing to read from, all stay."""
    model, at = Model(ModelSettings(ended_kept=0)), Instant(1000.0, 1_700_000_000.0)
    space = model.namespace("n")
    space.set_spec(at, {"name": "s", "min_gb": 1})
    space.add_units(at, "s", [NewUnit(b"a", b"\xa0")])
    space.update_unit(at, "s", b"a", UnitUpdate(status=FINISHED))
    model.take_changes(at)
    assert not model.shelve(10)
    assert model.unit_count == 1


def test_what_is_not_committed_stays():
    """Its rows say something else still; it leaves when they do not."""
    house = ReadingHouse()
    house.spec("s")
    house.add("s", "a")
    house.commit()
    house.update("s", "a", status=FINISHED)
    assert house.model.shelve(10)
    assert house.model.unit_count == 1
    house.leave()
    assert house.model.unit_count == 0


def test_what_others_need_stays():
    """And what needs others: they are told what becomes of it."""
    house = ReadingHouse()
    house.spec("s")
    house.add("s", "a")
    house.add("s", "b", needs=(Need("s", b"a"),))
    house.end("s", "a")
    assert house.model.unit_count == 2
    house.restart()
    house.end("s", "b")
    assert house.model.unit_count == 2
    house.restart()
    assert house.model.unit_count == 2
    house.update("s", "a", status=AVAILABLE)
    assert house.unit("s", "a").status == AVAILABLE


def test_what_begins_anew_before_its_turn_stays(house):
    house.update("s", "1", status=FINISHED)
    house.update("s", "1", status=AVAILABLE)
    house.leave()
    assert house.model.unit_count == 3


def test_no_more_leave_at_once_than_is_told():
    house = ReadingHouse()
    house.spec("s")
    house.add("s", *"abcde")
    for key in "abcde":
        house.update("s", key, status=FINISHED)
    house.commit()
    assert house.model.shelve(2)
    assert house.model.unit_count == 3
    assert house.model.shelve(2)
    assert not house.model.shelve(2)


def test_more_leave_at_once_where_many_have_to():
    """So that they leave as quickly as units end."""
    house = ReadingHouse()
    house.spec("s")
    keys = [f"{number:03}" for number in range(500)]
    house.add("s", *keys)
    for key in keys:
        house.update("s", key, status=FINISHED)
    house.commit()
    house.model.shelve(1)
    assert house.model.unit_count == 500 - 1 - 5


def test_dicts_shrink_when_many_have_left():
    """What they had grown to is given back, a dict with each step."""
    house = ReadingHouse()
    house.spec("s")
    keys = [f"k{number}" for number in range(10_000)]
    house.add("s", *keys)
    house.model.take_changes(house.at)
    units = house.space._rosters["s"].units
    grown = _size(units._fresh)
    for key in keys:
        house.update("s", key, status=FINISHED)
    grown += _size(units._known)
    house.model.take_changes(house.at)
    while house.model.shelve(20):
        pass
    assert _size(units._fresh) + _size(units._known) < grown / 4


def _size(dicts):
    return sum(map(getsizeof, dicts))


# ---- looking at them ----


def test_looking_at_one_leaves_it_where_it_is(house):
    assert house.unit("s", "2").status == FINISHED
    assert house.unit("s", "2").data == encode({"n": 1})
    assert house.space.units_by_key(house.at, "s", [b"4", b"x"]) == [
        (b"4", encode({"n": 1})),
        (b"x", None),
    ]
    assert house.model.unit_count == 3


def test_counts_stay(house):
    assert house.counts("s") == {AVAILABLE: 3, FINISHED: 7}


def test_what_was_never_there_is_seldom_looked_for(house):
    """The filter knows, without a row being read."""
    house.reads = 0
    found = [house.unit("s", f"other {number}") for number in range(200)]
    assert found == [None] * 200
    assert house.reads < 10


def test_a_list_has_all_in_the_order_of_their_keys(house):
    assert house.list("s") == list("0123456789")
    assert house.list("s", limit=4) == list("0123")
    assert house.list("s", limit=4, start=b"2") == list("2345")
    assert house.list("s", start=b"20") == list("3456789")
    assert house.model.unit_count == 3


def test_a_list_by_status_has_them_too(house):
    house.update("s", "6", status=AVAILABLE)
    house.end("s", "6", status=FAILED)
    assert house.list("s", [FINISHED]) == list("024789")
    assert house.list("s", [FINISHED, FAILED], limit=3, start=b"4") == list("467")
    assert house.list("s", [FAILED, AVAILABLE]) == list("1356")
    assert house.list("s", [PENDING]) == []


def test_a_list_by_status_goes_by_priority_first(house):
    house.space.prioritize_units(house.at, "s", [b"8", b"1"], 5)
    house.leave()
    assert house.list("s", [FINISHED], limit=3) == list("802")
    assert house.list("s", [FINISHED, AVAILABLE], limit=3) == list("180")


def test_a_page_of_many_reads_few_rows():
    """One page of rows, and the data of ten or of those beside them."""
    house = ReadingHouse()
    house.spec("s")
    keys = [f"{number:04}" for number in range(5000)]
    house.add("s", *keys)
    house.end("s", *keys)
    for states in (None, [FINISHED]):
        house.reads = 0
        assert house.list("s", states, limit=10, start=b"2000") == keys[2000:2010]
        assert house.reads <= 2 + 10
    assert house.list("s", limit=5000) == keys


def test_an_explanation_says_that_it_has_ended(house):
    assert house.space.explain_unit(house.at, "s", b"2").reasons[0].code == "ended"
    with pytest.raises(NoSuchUnit):
        house.space.explain_unit(house.at, "s", b"x")


def test_earlier_attempts_are_found(house):
    """Those of a unit that failed and was tried again, before and after a restart."""
    house.spec("s", max_retries=1, retry_delay=0)
    for _ in range(2):
        assert house.keys() == ["1"]
        house.update("s", "1", status=FAILED, worker_id="w")
    before = house.space.unit_attempts(house.at, "s", b"1")
    house.leave()
    assert len(before) == 2
    assert house.space.unit_attempts(house.at, "s", b"1") == before
    house.leave()
    house.restart()
    assert house.model.unit_count == 2
    assert house.space.unit_attempts(house.at, "s", b"1") == before


# ---- changing them ----


def test_one_that_begins_anew_is_in_memory_and_runs(house):
    house.update("s", "0", status=AVAILABLE)
    assert house.model.unit_count == 4
    assert house.counts("s") == {AVAILABLE: 4, FINISHED: 6}
    assert house.keys() == ["0"]
    house.update("s", "0", status=FINISHED, worker_id="w")
    house.leave()
    assert house.model.unit_count == 3


def test_one_that_comes_back_leaves_again(house):
    """Also if it was only asked for by a call that changes nothing."""
    house.update("s", "0", status=FINISHED)
    assert house.model.unit_count == 4
    house.leave()
    assert house.model.unit_count == 3
    assert house.counts("s") == {AVAILABLE: 3, FINISHED: 7}


def test_one_that_is_added_again_gets_the_new_data(house):
    house.add("s", "0", data={"n": 2})
    assert house.unit("s", "0").data == encode({"n": 2})
    assert house.counts("s") == {AVAILABLE: 4, FINISHED: 6}
    house.restart()
    assert house.unit("s", "0").data == encode({"n": 2})


def test_its_owner_ends_it_again_without_harm(house):
    assert house.keys() == ["1"]
    house.update("s", "1", status=FINISHED, worker_id="w")
    house.leave()
    house.update("s", "1", status=FAILED, worker_id="w")
    assert house.unit("s", "1").status == FINISHED


def test_data_and_priority_of_one_can_be_changed(house):
    house.update("s", "0", data={"n": 3})
    house.space.prioritize_units(house.at, "s", [b"0", b"x"], 7)
    house.leave()
    assert house.model.unit_count == 3
    assert house.unit("s", "0").data == encode({"n": 3})
    assert house.unit("s", "0").priority == 7


def test_it_is_too_late_to_cancel_one(house):
    assert house.space.cancel_units(house.at, "s", [b"0", b"x"]) == ["ended", "unknown"]


def test_output_of_another_adds_one_anew(house):
    house.spec("t", then="s")
    house.add("t", "a")
    house.update("t", "a", status=FINISHED, data={"output": {"0": {"n": 4}}})
    assert house.unit("s", "0").status == AVAILABLE
    assert house.unit("s", "0").data == encode({"n": 4})


def test_one_that_another_comes_to_need_is_in_memory_from_then_on(house):
    house.add("s", "a", needs=(Need("s", b"0"),))
    assert house.unit("s", "a").status == AVAILABLE
    edge = NewEdge(EdgeEnd("s", b"1"), EdgeEnd("s", b"2"))
    house.space.add_dependencies(house.at, [edge])
    house.leave()
    assert house.model.unit_count == 6
    before = snapshot(house.model)
    house.restart()
    assert snapshot(house.model) == before
    house.update("s", "0", status=AVAILABLE)
    assert house.unit("s", "a").status == BLOCKED


# ---- letting them go ----


def test_one_that_is_deleted_is_gone_at_once_and_for_good(house):
    """Though its rows are there until the next commit, and the filter never forgets its key."""
    assert house.space.delete_units(house.at, "s", [b"0", b"2", b"x"]) == 2
    assert house.unit("s", "0") is None
    assert house.list("s") == list("13456789")
    assert house.list("s", [FINISHED]) == list("46789")
    changes = house.commit()
    gone = {(table, key[8:]) for op, table, key, _ in changes if op == DELETE}
    assert gone == {(UNIT, b"0"), (DATA, b"0"), (UNIT, b"2"), (DATA, b"2")}
    assert house.unit("s", "0") is None
    assert house.counts("s") == {AVAILABLE: 3, FINISHED: 5}
    house.add("s", "0", data={"n": 5})
    assert house.unit("s", "0").attempt == 0


def test_deleting_by_status_takes_them(house):
    assert house.space.delete_units(house.at, "s", states=[FINISHED]) == 7
    assert house.list("s") == list("135")
    house.restart()
    assert house.counts("s") == {AVAILABLE: 3}


def test_deleting_one_deletes_its_earlier_attempts(house):
    house.spec("s", max_retries=1, retry_delay=0)
    for _ in range(2):
        house.keys()
        house.update("s", "1", status=FAILED, worker_id="w")
    house.leave()
    house.space.delete_units(house.at, "s", states=[FAILED])
    house.commit()
    assert {table for table, _ in house.rows.rows}.isdisjoint({ATTEMPT})


def test_deleting_everything_forgets_them(house):
    assert house.space.delete_units(house.at, "s", all=True) == 10
    assert house.list("s") == []
    house.add("s", "0")
    house.end("s", "0")
    assert house.counts("s") == {FINISHED: 1}
    assert house.list("s") == ["0"]


def test_a_spec_of_the_same_name_knows_nothing_of_them(house):
    house.space.delete_spec(house.at, "s")
    house.spec("s")
    assert house.list("s") == []
    assert house.unit("s", "0") is None
    assert not house.model.shelve(10)


# ---- limits for ended units ----


def test_those_beyond_the_limits_are_forgotten(house):
    """The oldest first, though none of them is in memory; they are counted still."""
    house.space.control_spec(house.at, "s", {})
    house.advance(1)
    house.end("s", "1")
    house.spec("s", limit_completed_count=2)
    while house.model.retain(house.at, 10):
        pass
    assert house.list("s", [FINISHED]) == ["1", "9"]
    assert house.counts("s") == {AVAILABLE: 2, FINISHED: 8}
    house.restart()
    assert house.list("s", [FINISHED]) == ["1", "9"]


def test_limits_hold_after_a_restart(house):
    house.spec("s", limit_completed_count=3)
    house.restart()
    while house.model.retain(house.at, 10):
        pass
    assert house.list("s", [FINISHED]) == ["7", "8", "9"]
    assert house.model.unit_count == 3


def test_one_that_comes_back_while_the_old_ones_are_read_is_not_passed_by(house):
    """Memory was gone through when it came to be there."""
    house.spec("s", limit_completed_count=0)
    house.model.retain(house.at, 1)
    for key in "0246789":
        house.update("s", key, status=FINISHED)
    while house.model.retain(house.at, 1):
        pass
    assert house.list("s") == ["1", "3", "5"]


def test_a_page_that_was_read_before_a_unit_ended_says_nothing_of_it():
    """Ends are read in slices, and a unit may end and leave memory between two."""
    house = ReadingHouse()
    house.spec("s")
    keys = [f"{number:02}" for number in range(40)]
    house.add("s", *keys)
    assert len(house.get("w", most=40)) == 40
    house.end("s", *keys[:20])
    house.spec("s", limit_completed_count=10)
    assert house.model.retain(house.at, 8)
    house.end("s", *keys[20:30])
    house.space.delete_units(house.at, "s", [key.encode() for key in keys[30:]])
    house.commit()
    while house.model.retain(house.at, 8):
        house.commit()
    assert house.list("s") == keys[20:30]
    assert house.model.failure is None


def test_units_that_end_again_and_again_are_read_only_where_that_is_needed():
    """What is in no order any more is swept out, and no row read of units with one entry."""
    house = ReadingHouse()
    house.spec("s", limit_completed_count=2000)
    keys = [f"k{number}" for number in range(500)]
    house.add("s", *keys)
    house.end("s", *keys)
    house.reads = 0
    house.add("s", "a")
    for _ in range(2000):
        house.update("s", "a", status=FINISHED)
        house.update("s", "a", status=AVAILABLE)
        house.advance(1)
    assert house.reads < 50
    heap = house.space._rosters["s"].endings._heaps[FINISHED]
    assert 500 <= len(heap) <= 2 * 501 + 1024


# ---- restarts, faults, memory ----


def test_a_start_leaves_them_where_they_are(house):
    before = snapshot(house.model)
    house.restart()
    assert house.model.unit_count == 3
    assert snapshot(house.model) == before
    assert house.unit("s", "2").data == encode({"n": 1})


def test_a_start_knows_their_priorities(house):
    house.space.prioritize_units(house.at, "s", [b"8"], -2.5)
    house.leave()
    house.restart()
    assert house.list("s", [FINISHED], limit=7) == list("0246798")


@pytest.mark.parametrize("row", [b"\x82\x01\x02", b"\x88\x01\x00\x00\xf6\xf6\xf6\xf6\xf6"])
def test_a_row_that_is_something_else_fails_the_model(house, row):
    """What the call had done by then must not be committed."""
    (place,) = (place for place in house.rows.rows if place[0] == UNIT and place[1][8:] == b"2")
    house.rows.apply([(PUT, *place, row)])
    assert house.model.failure is None
    with pytest.raises(DamagedRow):
        house.unit("s", "2")
    assert isinstance(house.model.failure, DamagedRow)


def test_a_unit_without_data_fails_the_model(house):
    (place,) = (place for place in house.rows.rows if place[0] == DATA and place[1][8:] == b"2")
    house.rows.apply([(DELETE, *place, b"")])
    with pytest.raises(DamagedRow):
        house.update("s", "2", status=AVAILABLE)
    assert isinstance(house.model.failure, DamagedRow)


def test_a_store_that_cannot_be_read_fails_the_model():
    """Whatever error it has."""
    store = MemoryStore()
    at = Instant(1000.0, 1_700_000_000.0)
    model = Model(ModelSettings(ended_kept=0), store)
    space = model.namespace("n")
    space.set_spec(at, {"name": "s", "min_gb": 1})
    space.add_units(at, "s", [NewUnit(b"a", b"\xa0")])
    space.update_unit(at, "s", b"a", UnitUpdate(status=FINISHED))
    store.commit(model.take_changes(at))
    model.shelve(10)
    store.close()
    with pytest.raises(Exception, match="closed") as caught:
        space.units_by_key(at, "s", [b"a"])
    assert model.failure is caught.value


def test_an_ended_unit_costs_at_most_four_bytes():
    """Beyond those that stay; the rows are somewhere else."""
    house = ReadingHouse()
    house.spec("s")
    house.commit()
    gc.collect()
    tracemalloc.start()
    used = []
    for begin in range(0, 40_000, 1000):
        if begin in (10_000, 39_000):
            gc.collect()
            used.append(tracemalloc.get_traced_memory()[0])
        _add_and_end(house, [b"key %d" % number for number in range(begin, begin + 1000)])
    tracemalloc.stop()
    assert house.counts("s") == {FINISHED: 40_000}
    assert (used[1] - used[0]) / 29_000 <= 4


def _add_and_end(house, keys):
    house.space.add_units(house.at, "s", [NewUnit(key, b"\xa0") for key in keys])
    for key in keys:
        house.space.update_unit(house.at, "s", key, UnitUpdate(status=FINISHED))
    house.model.take_changes(house.at)
    house.model.shelve(len(keys))
