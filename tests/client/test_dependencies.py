"""Units that need others, over a scripted server."""

import logging

import pytest

from coordinate_client import ProgrammerError, TaskMaster, Unsupported
from tests.client.scripted import HELLO, ScriptedServer

DONE = (True, None)
NEEDED = "work unit 'a' of 's' is needed by 'b' of 's' (1 in all); cascade deletes them too"


def master_of(answers):
    """A TaskMaster and its server."""
    server = ScriptedServer(answers)
    return server.client(TaskMaster), server


def test_needs_go_with_the_unit():
    """In each of their forms, as they were given."""
    master, server = master_of({"add_work_units": DONE})
    needs = ["a", ("t", "c"), ("t", "d", False), b"\xff"]
    assert master.add_work_units("s", [("b", {}, {"depends_on": needs, "priority": 2})])
    assert server.calls[-1][1] == ["s", [("b", {}, {"depends_on": needs, "priority": 2})]]


@pytest.mark.parametrize("form", [tuple, list])
def test_a_unit_needs_another(form):
    """Each is (spec, key), or comes with its data; the edge is hard unless said otherwise."""
    master, server = master_of({"add_dependent_work_units": DONE})
    assert master.add_dependent_work_units(form(["s", "b", {"n": 1}]), form(["t", b"\xff"]))
    sent = [("s", "b", {"n": 1}), ("t", b"\xff", None), True]
    assert server.calls[-1] == ("add_dependent_work_units", sent)
    assert master.add_dependent_work_units(("s", "b", None), ("s", "a"), False)
    assert server.calls[-1][1] == [("s", "b", None), ("s", "a", None), False]


def test_edges_go_in_one_call():
    """However many they are, since half of them would not be what was asked for."""
    master, server = master_of({"add_dependencies": DONE})
    edges = ((("s", str(n + 1)), ("s", str(n))) for n in range(2500))
    assert master.add_dependencies(edges)
    ((_hello, _), (_, (sent,))) = server.calls
    assert len(sent) == 2500
    assert sent[0] == (("s", "1", None), ("s", "0", None))
    assert master.add_dependencies([(("s", "b", {}), ("s", "a"), False)])
    assert server.calls[-1][1] == [[(("s", "b", {}), ("s", "a", None), False)]]


@pytest.mark.parametrize(
    "end", ["b", ("b",), ("s", 5), (5, "b"), ("s", "b", object()), ("s", "b", {}, 1), None]
)
def test_what_is_no_unit_is_refused(end):
    """On either side, before anything is sent."""
    master, server = master_of({})
    for edge in [(end, ("s", "a")), (("s", "a"), end)]:
        with pytest.raises(ProgrammerError, match="work unit"):
            master.add_dependent_work_units(*edge)
        with pytest.raises(ProgrammerError, match="work unit"):
            master.add_dependencies([edge])
    assert server.calls == []


@pytest.mark.parametrize("edge", ["ab", (("s", "a"),), (("s", "a"), ("s", "b"), True, 1), None])
def test_what_is_no_edge_is_refused(edge):
    """The error shows it."""
    master, server = master_of({})
    with pytest.raises(ProgrammerError, match=r"edge|work unit"):
        master.add_dependencies([edge])
    assert server.calls == []


def test_refusal_is_false_and_logged(caplog):
    """The record has the server's message by itself, for programs that show it."""
    cycle = (False, "cycle of dependencies: 'a' of 's' -> 'a' of 's'")
    master, _ = master_of({"add_dependent_work_units": cycle, "add_dependencies": cycle})
    with caplog.at_level(logging.INFO, "coordinate_client"):
        assert master.add_dependent_work_units(("s", "a"), ("s", "a")) is False
        assert master.add_dependencies([(("s", "a"), ("s", "a"))]) is False
    assert [record.server_message for record in caplog.records] == [cycle[1]] * 2
    assert caplog.records[0].getMessage() == f"add_dependent_work_units: {cycle[1]}"


def test_deleting_what_others_need_is_refused_or_cascades():
    """Without the word nothing is deleted; with it, it goes to the server."""
    answers = {"del_work_units": (0, NEEDED), "del_work_spec": (False, NEEDED)}
    master, server = master_of(answers)
    assert master.del_work_units("s", ["a"]) == 0
    assert master.del_work_spec("s") is False
    assert server.calls[1:] == [
        ("del_work_units", ["s", {"work_unit_keys": ["a"]}]),
        ("del_work_spec", ["s"]),
    ]
    server.answers = {"del_work_units": (2, None), "del_work_spec": DONE}
    assert master.del_work_units("s", ["a"], cascade=True) == 2
    assert master.del_work_spec("s", cascade=True) is True
    assert server.calls[-2:] == [
        ("del_work_units", ["s", {"work_unit_keys": ["a"], "cascade": True}]),
        ("del_work_spec", ["s", {"cascade": True}]),
    ]


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.add_work_units("s", [("b", {}, {"depends_on": ["a"]})]),
        lambda t: t.del_work_units("s", all=True, cascade=True),
        lambda t: t.del_work_spec("s", True),
    ],
)
def test_server_without_dependencies_is_not_asked_for_them(call):
    """It said hello, and does not name them."""
    server = ScriptedServer({}, hello=HELLO | {"capabilities": ["delay"]})
    with pytest.raises(Unsupported, match="it lacks 'dependencies'"):
        call(server.client(TaskMaster))
    assert [method for method, _ in server.calls] == ["hello"]
