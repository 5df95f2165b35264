"""Units that need others: what waits, what fails, what comes back."""

import pytest

from coordinate_server.model.calls import EdgeEnd, Need, NewEdge
from coordinate_server.model.errors import NoSuchSpec, Refused

AVAILABLE, BLOCKED, PENDING, FINISHED, FAILED, DELAYED = 1, 2, 3, 4, 5, 6
EMPTY = b"\xa0"


def needs(*keys, spec=None, hard=True):
    return tuple(Need(spec, key.encode(), hard) for key in keys)


def end(spec, key, data=None):
    return EdgeEnd(spec, key.encode(), data)


def link(house, later, earlier, *, hard=True):
    house.space.add_dependencies(house.at, [NewEdge(end(*later), end(*earlier), hard)])


def status(house, key, spec="s"):
    return house.unit(spec, key).status


def test_chain_runs_in_order(house):
    """Each unit is handed out when the one before has finished, not before."""
    house.spec("s")
    house.add("s", "c", needs=needs())
    house.add("s", "b")
    house.add("s", "a", needs=needs("b"))
    link(house, ("s", "c"), ("s", "a"))
    order = []
    while handed := house.keys():
        order += handed
        assert house.keys("v") == []
        house.update("s", handed[0], status=FINISHED, worker_id="w")
    assert order == ["b", "a", "c"]


def test_soft_edge_is_content_with_a_failure(house):
    """A soft edge waits for an end of any kind, a hard one for a finish."""
    house.spec("s")
    house.add("s", "a")
    house.add("s", "soft", needs=needs("a", hard=False))
    house.add("s", "hard", needs=needs("a"))
    house.get()
    house.update("s", "a", status=FAILED, worker_id="w")
    assert [status(house, key) for key in ("soft", "hard")] == [AVAILABLE, FAILED]
    assert house.unit("s", "hard").reason == "needs 'a' of 's', which failed"


def test_failure_goes_down_and_a_retry_takes_it_back(house):
    """All that needs it fails, naming the first culprit; all of that comes back with it."""
    house.spec("s")
    house.spec("t")
    house.add("s", "a", "x")
    house.add("s", "b", needs=needs("a"))
    house.add("t", "c", needs=needs("b", spec="s"))
    house.get()
    house.update("s", "a", status=FAILED, worker_id="w")
    assert house.unit("t", "c").reason == "needs 'a' of 's', which failed"
    with pytest.raises(Refused, match="needs 'a' of 's', which failed; retry that first"):
        house.update("t", "c", status=AVAILABLE)
    house.update("s", "a", status=AVAILABLE)
    assert [status(house, "b"), status(house, "c", "t")] == [BLOCKED, BLOCKED]
    assert house.unit("t", "c").reason is None


def test_what_failed_by_itself_does_not_come_back(house):
    """A retry of what it needs says nothing about a unit's own failure."""
    house.spec("s")
    house.add("s", "a")
    house.add("s", "b", needs=needs("a"))
    for key in "ab":
        assert house.keys() == [key]
        house.update("s", key, status=FINISHED if key == "a" else FAILED, worker_id="w")
    house.update("s", "a", status=AVAILABLE)
    assert status(house, "b") == FAILED


def test_a_reason_names_what_has_failed_still(house):
    """A unit that needs two failed ones is failed by the other when one of them is tried again."""
    house.spec("s")
    house.add("s", "a", "b")
    for _ in "ab":
        house.update("s", house.keys()[0], status=FAILED, worker_id="w")
    house.add("s", "c", needs=needs("a", "b"))
    assert "'a' of 's'" in house.unit("s", "c").reason
    house.update("s", "a", status=AVAILABLE)
    assert house.unit("s", "c").reason == "needs 'b' of 's', which failed"
    house.add("s", "d", needs=needs("c"))
    assert house.unit("s", "d").reason == "needs 'b' of 's', which failed"
    house.restart()
    assert house.unit("s", "c").reason == "needs 'b' of 's', which failed"


def test_cycle_is_refused_with_its_path_and_nothing_is_applied(house):
    """Neither the units nor the edges of the call are there afterwards, nor in what is written."""
    house.spec("s")
    house.add("s", "a")
    house.add("s", "b", needs=needs("a"))
    house.commit()
    edges = [
        NewEdge(end("s", "new", EMPTY), end("s", "b")),
        NewEdge(end("s", "a"), end("s", "new")),
    ]
    path = "'a' of 's' -> 'new' of 's' -> 'b' of 's' -> 'a' of 's'"
    with pytest.raises(Refused, match=f"^cycle of dependencies: {path}$"):
        house.space.add_dependencies(house.at, edges)
    assert house.unit("s", "new") is None
    assert house.commit() == []
    assert house.unit("s", "b").unmet == 1
    assert house.keys() == ["a"]


def test_path_of_a_long_cycle_is_shortened(house):
    """Its ends are named, and how long it is."""
    house.spec("s")
    for number in range(100):
        house.add("s", f"{number:02}", needs=needs(f"{number - 1:02}") if number else ())
    with pytest.raises(Refused, match=r"'00' of 's' -> .* -> \.\.\. \(100 in all\) -> .* 's'$"):
        link(house, ("s", "00"), ("s", "99"))


def test_unit_may_not_need_what_is_nowhere(house):
    """The message names both; a spec that is not there counts as such."""
    house.spec("s")
    with pytest.raises(Refused, match="'b' of 's' needs 'c' of 's', which does not exist"):
        house.add("s", "b", needs=needs("c"))
    with pytest.raises(Refused, match="'b' of 's' needs 'c' of 'y', which does not exist"):
        house.add("s", "b", needs=needs("c", spec="y"))
    with pytest.raises(NoSuchSpec):
        link(house, ("y", "b"), ("s", "c"))
    assert house.counts("s") == {}


def test_ended_unit_cannot_be_made_to_wait(house):
    """Unless its data are given, which adds it anew."""
    house.spec("s")
    house.add("s", "a", "b")
    for key in house.keys(most=2):
        house.update("s", key, status=FINISHED, worker_id="w")
    with pytest.raises(Refused, match="'b' of 's' cannot wait for another, it has finished"):
        link(house, ("s", "b"), ("s", "a"))
    link(house, ("s", "b", EMPTY), ("s", "a", EMPTY))
    assert [status(house, key) for key in "ab"] == [AVAILABLE, BLOCKED]


def test_running_unit_waits_once_it_is_given_back(house):
    """A unit may find out what it needs, add that, and give itself back."""
    house.spec("s")
    house.add("s", "a")
    house.get()
    link(house, ("s", "a"), ("s", "found", EMPTY))
    assert status(house, "a") == PENDING
    house.update("s", "a", lease_time=-1, worker_id="w")
    assert status(house, "a") == BLOCKED
    assert house.keys() == ["found"]
    house.update("s", "found", status=FINISHED, worker_id="w")
    assert house.keys() == ["a"]


def test_delay_goes_on_while_blocked(house):
    """What is left of it counts after the needs are met."""
    house.spec("s")
    house.add("s", "a")
    house.add("s", "b", needs=needs("a"), delay=60)
    house.get()
    house.advance(20)
    house.update("s", "a", status=FINISHED, worker_id="w")
    assert status(house, "b") == DELAYED
    house.advance(40)
    assert house.keys() == ["b"]


def test_needed_unit_is_not_deleted(house):
    """Unless those that wait for it go too; what has ended is needed by nobody."""
    house.spec("s")
    house.spec("t")
    house.add("s", "a", "done")
    house.add("t", "b", needs=needs("a", spec="s"))
    house.add("t", "c", needs=needs("b"))
    message = r"'a' of 's' is needed by 'b' of 't' \(1 in all\); cascade deletes them too"
    with pytest.raises(Refused, match=message):
        house.space.delete_units(house.at, "s", [b"a"])
    with pytest.raises(Refused, match=message):
        house.space.delete_spec(house.at, "s")
    assert house.space.delete_units(house.at, "s", all=True, cascade=True) == 4
    assert house.counts("t") == {}
    house.restart()
    assert house.counts("t") == {}


def test_fan_in_and_fan_out_of_ten_thousand(house):
    """One that needs all is freed by the last; all that need one are freed by it."""
    house.spec("s")
    house.spec("all")
    keys = [f"{number:05}" for number in range(10_000)]
    house.add("s", "first")
    house.add("s", *keys, needs=needs("first"))
    house.add("all", "last", needs=needs(*keys, spec="s"))
    assert house.counts("s") == {AVAILABLE: 1, BLOCKED: 10_000}
    assert house.unit("all", "last").needs_count == 10_000
    assert len(house.unit("all", "last").needs) == 1000
    assert house.keys() == ["first"]
    house.update("s", "first", status=FINISHED, worker_id="w")
    assert house.counts("s") == {AVAILABLE: 10_000, FINISHED: 1}
    for key in house.keys(most=10_000):
        assert status(house, "last", "all") == BLOCKED
        house.update("s", key, status=FINISHED, worker_id="w")
    assert house.keys() == ["last"]


def test_long_failure_is_told_in_slices(house):
    """A call ends some thousands; the next ones, a restart among them, the others."""
    house.spec("s")
    house.add("s", "00000")
    for number in range(1, 12_000):
        house.add("s", f"{number:05}", needs=needs(f"{number - 1:05}"))
    house.get()
    house.update("s", "00000", status=FAILED, worker_id="w")
    assert house.model.has_more_due
    failed = house.counts("s")[FAILED]
    assert 1000 < failed < 12_000
    house.restart()
    while house.model.has_more_due:
        house.model.run_due(house.at)
    assert house.counts("s") == {FAILED: 12_000}
    assert house.unit("s", "11999").reason == "needs '00000' of 's', which failed"


def test_edges_survive_a_restart(house):
    """Hard and soft, met and not."""
    house.spec("s")
    house.add("s", "a", "b", "c")
    house.add("s", "d", needs=(*needs("a", "b"), *needs("c", hard=False)))
    assert house.keys() == ["a"]
    house.update("s", "a", status=FINISHED, worker_id="w")
    house.restart()
    found = house.unit("s", "d")
    seen = [(n.key, n.hard, n.status) for n in found.needs]
    assert sorted(seen) == [(b"a", True, FINISHED), (b"b", True, 1), (b"c", False, 1)]
    assert found.unmet == 2
