"""Units whose data have no form on the wire, twins, and what a unit knows of its own end."""

import pytest

from coordinate_client import ProgrammerError, TaskMaster, WorkUnit
from tests.client.scripted import Hello, ScriptedServer

DONE = ([{"done": True}], None, None)


def leased(data, answer=DONE):
    """A unit that was handed out, and its server."""
    server = ScriptedServer({"update_work_units": answer}, hello=Hello(("tokens",)))
    return WorkUnit(server.client(TaskMaster), "s", "k", data, "w", attempt=7), server


def sent(server):
    """The options of the last update."""
    ((_, _, options),) = server.sent("update_work_units")[-1][0]
    return options


def test_a_unit_fails_also_where_its_data_cannot_be_sent():
    unit, server = leased({"n": 1})
    unit.data["socket"] = object()
    assert unit.fail("broken")
    assert sent(server)["data"] == {"n": 1, "traceback": "broken"}


def test_it_fails_without_a_reason_too():
    unit, server = leased({"n": 1})
    unit.data["socket"] = object()
    assert unit.fail()
    assert unit.data == {"n": 1}
    assert "data" not in sent(server)


def test_what_was_sent_on_the_way_is_kept():
    unit, server = leased({"n": 1})
    unit.data["n"] = 2
    assert unit.update()
    unit.data["socket"] = object()
    assert unit.fail("broken")
    assert sent(server)["data"] == {"n": 2, "traceback": "broken"}


def test_it_is_not_finished_with_such_data():
    unit, server = leased({"n": 1})
    unit.data["socket"] = object()
    assert not unit.can_be_sent()
    with pytest.raises(ProgrammerError, match="object cannot be sent"):
        unit.finish()
    assert not server.sent("update_work_units")


def test_a_reason_that_is_no_utf_8_can_be_sent():
    unit, server = leased({})
    assert unit.fail("no such file: \udcff")
    assert sent(server)["data"] == {"traceback": "no such file: \\udcff"}


@pytest.mark.parametrize(
    "end, expected",
    [(WorkUnit.finish, "finished"), (WorkUnit.fail, "failed"), (WorkUnit.retry, "released")],
)
def test_a_unit_knows_how_it_ended(end, expected):
    unit, _ = leased({})
    assert unit.ended is None
    assert unit.update()
    assert unit.ended is None
    assert end(unit)
    assert unit.ended == expected


def test_a_unit_that_the_server_does_not_have_has_not_ended():
    gone = {"done": False, "code": "no_such_work_unit", "message": "no such work unit"}
    unit, _ = leased({}, ([gone], None, None))
    assert not unit.finish()
    assert unit.ended is None


def test_a_snapshot_has_what_the_server_has():
    unit, _ = leased({"n": 1, 7: [b"x"]})
    unit.data["n"] = 2
    copy = unit.snapshot()
    assert (copy.data, copy.key, copy.attempt) == ({"n": 1, 7: [b"x"]}, "k", 7)
    unit.restore()
    assert unit.data == copy.data


def handed(data):
    """A unit that a server handed out, and the server."""
    work = (("s", "k", data, {"attempt": 7}), None)
    server = ScriptedServer({"get_work": work, "update_work_units": DONE}, hello=Hello(("tokens",)))
    return server.client(TaskMaster).get_work("w"), server


@pytest.mark.parametrize("data", [{"n": 1}, None, [1], {"a": {"b": ()}}])
def test_data_that_nobody_looked_at_are_not_sent(data):
    """Nor are they lost."""
    unit, server = handed(data)
    assert unit.can_be_sent()
    assert unit.snapshot().data == data
    assert unit.finish()
    assert "data" not in sent(server)
    unit.restore()
    assert unit.data == data


@pytest.mark.parametrize(
    "change", [lambda unit: unit.data.update(n=2), lambda unit: setattr(unit, "data", {"n": 2})]
)
def test_data_that_were_changed_are_sent(change):
    """Changed in their place, or others put there."""
    unit, server = handed({"n": 1})
    change(unit)
    assert unit.update()
    assert sent(server)["data"] == {"n": 2}
    assert unit.update()
    assert "data" not in sent(server)


def test_data_that_somebody_else_has_are_sent_when_that_one_changes_them():
    """A unit that was not handed out has the data that it was made with."""
    data = {"n": 1}
    unit, server = leased(data)
    data["n"] = 2
    assert unit.finish()
    assert sent(server)["data"] == {"n": 2}


def test_data_are_sent_as_they_were_when_they_were_fixed():
    """Until they are sent, or somebody asks for them."""
    unit, server = handed({"n": 1})
    data = unit.data
    data["n"] = 2
    unit.fix()
    data["n"] = 3
    assert unit.update()
    assert sent(server)["data"] == {"n": 2}
    assert unit.update()
    assert sent(server)["data"] == {"n": 3}
    unit.fix()
    unit.data["n"] = 4
    assert unit.finish()
    assert sent(server)["data"] == {"n": 4}
