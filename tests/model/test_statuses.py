"""The tables of statuses: each cell does what it says, and the document shows them."""

from pathlib import Path

import pytest

from coordinate_protocol.constants import FAILED, STATUS_NAMES
from coordinate_server.model.calls import Need
from coordinate_server.model.errors import NotOwner, Refused
from coordinate_server.model.statuses import ANONYMOUS, OWNED, Outcome, document

DOCUMENT = Path(__file__).parents[2] / "docs" / "model.md"
PAIRS = [(old, new) for old in STATUS_NAMES for new in STATUS_NAMES]


def unit_in(house, status):
    """Bring a unit to a status; one that somebody had is of worker w."""
    house.spec("s")
    house.add("s", "k", delay=50 if status == 6 else None)
    if status in (3, 4, 5):
        house.get("w")
    if status in (4, 5):
        house.update("s", "k", status=status, worker_id="w")
    if status == 2:
        house.update("s", "k", status=2)
    assert house.unit("s", "k").status == status


@pytest.mark.parametrize("old,new", PAIRS)
def test_anonymous_call_does_what_the_table_says(house, old, new):
    """A call that names nobody goes by the wider table."""
    unit_in(house, old)
    outcome = ANONYMOUS.get((old, new))
    if outcome is None:
        with pytest.raises(Refused, match="cannot be made"):
            house.update("s", "k", status=new)
        assert house.unit("s", "k").status == old
        return
    house.update("s", "k", status=new, data={"n": 1})
    unit = house.unit("s", "k")
    assert unit.status == (new if outcome is Outcome.CHANGE else old)
    assert (unit.data == b"\xa0") == (outcome is Outcome.IGNORE)


@pytest.mark.parametrize("old,new", PAIRS)
def test_owners_call_does_what_the_table_says(house, old, new):
    """A call of the worker that has the unit, or ended it, goes by the narrow table."""
    unit_in(house, old)
    outcome = OWNED.get((old, new))
    if outcome is None:
        with pytest.raises(Refused if old == 3 else NotOwner):
            house.update("s", "k", status=new, worker_id="w", data={"n": 1})
        assert (house.unit("s", "k").status, house.unit("s", "k").data) == (old, b"\xa0")
        return
    house.update("s", "k", status=new, worker_id="w", data={"n": 1})
    unit = house.unit("s", "k")
    assert unit.status == (new if outcome is Outcome.CHANGE else old)
    assert (unit.data == b"\xa0") == (outcome is Outcome.IGNORE)


@pytest.mark.parametrize("old", STATUS_NAMES)
@pytest.mark.parametrize("new", STATUS_NAMES)
def test_stranger_changes_nothing(house, old, new):
    """A worker that does not have the unit is told so, and nothing is changed or written."""
    unit_in(house, old)
    house.commit()
    before = house.unit("s", "k")
    with pytest.raises(NotOwner, match="not leased to 'x' any more"):
        house.update("s", "k", status=new, worker_id="x", data={"n": 1})
    assert house.unit("s", "k") == before
    assert house.commit() == []


def test_a_lease_on_what_failed_meanwhile_is_not_renewed(house):
    """Who failed a unit may say so again; that is all, when it has failed for another reason."""
    house.spec("s")
    house.spec("t")
    house.add("s", "k")
    house.add("t", "needed")
    house.get("w", specs=["s"])
    house.update("s", "k", status=FAILED, worker_id="w")
    house.update("t", "needed", status=FAILED)
    house.add("s", "k", needs=[Need("t", b"needed", True)])
    assert house.unit("s", "k").status == FAILED
    with pytest.raises(NotOwner):
        house.update("s", "k", lease_time=20, worker_id="w")


@pytest.mark.parametrize("old", STATUS_NAMES)
def test_adding_again_makes_available(house, old):
    """A key that exists gets the new data and may run again, whoever had it."""
    unit_in(house, old)
    house.add("s", "k", data={"n": 2})
    unit = house.unit("s", "k")
    assert (unit.status, unit.worker_id, unit.ended, unit.deadline) == (1, None, None, None)
    assert house.counts("s") == {1: 1}
    assert house.keys("v") == ["k"]


def test_document_shows_the_tables():
    """The diagram and the tables in the document are those of the code."""
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = text.split("<!-- statuses: begin -->\n")[1].split("\n<!-- statuses: end -->")[0]
    assert shown == document()
