"""Flows without a server: what is read, what is refused, which order units go in, drawings."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coordinate_client.flows.documents import read_flow
from coordinate_client.flows.drawings import as_values, dot, mermaid
from coordinate_client.flows.order import cycle_text, cycles, runs, targets_first
from coordinate_client.flows.parts import Flow, Need, Unit
from coordinate_client.flows.plans import plan

SPEC = {"min_gb": 1}


def document(units, **specs):
    """A document with the specs `a` and `b`, and others."""
    return {"flows": {"a": SPEC, "b": SPEC, **specs}, "units": units}


def units_of(*pairs):
    """Units of one spec by key, each with what it needs."""
    return {
        ("s", key): Unit(("s", key), {}, {}, tuple(Need(("s", one)) for one in needs))
        for key, needs in pairs
    }


def test_units_are_read():
    """With data, options, and needs in each of their forms; nothing at all is an empty unit."""
    depends_on = ["y", ["a", "x"], {"spec": "b", "key": "z", "hard": False}, {"key": "w"}]
    flow, faults = read_flow(
        document(
            {
                "a": {"x": None},
                "b": {
                    "u": {"data": {"n": 1}, "priority": 2, "delay": 0.5, "depends_on": depends_on}
                },
            }
        )
    )
    assert faults == []
    assert flow.units["a", "x"] == Unit(("a", "x"), {}, {})
    needs = (
        Need(("b", "y")),
        Need(("a", "x")),
        Need(("b", "z"), hard=False),
        Need(("b", "w")),
    )
    expected = Unit(("b", "u"), {"n": 1}, {"priority": 2, "delay": 0.5}, needs)
    assert flow.units["b", "u"] == expected
    assert list(flow.outside) == [("b", "y"), ("b", "z"), ("b", "w")]


def test_locks_of_units_are_read():
    """Each a path, as a list or as on a command line, a path with a mode, or a map of both."""
    locks = [["index", 3], [["log", 1.5], "shared"], {"path": ["c"], "mode": "shared"}]
    locks += ['/index/4/"5"', {"path": "d/6"}]
    flow, faults = read_flow(document({"a": {"x": {"locks": locks}, "y": {"locks": None}}}))
    assert faults == []
    assert flow.units["a", "x"].options == {
        "locks": [
            {"path": ["index", 3], "mode": "exclusive"},
            {"path": ["log", 1.5], "mode": "shared"},
            {"path": ["c"], "mode": "shared"},
            {"path": ["index", 4, "5"], "mode": "exclusive"},
            {"path": ["d", 6], "mode": "exclusive"},
        ]
    }
    assert flow.units["a", "y"].options == {}


def test_of_two_needs_of_the_same_unit_the_hard_one_counts():
    """As on the server, in whatever order they are written."""
    for first, second in [(True, False), (False, True), (True, True)]:
        depends_on = [{"key": "y", "hard": first}, {"key": "y", "hard": second}]
        flow, faults = read_flow(document({"a": {"x": {"depends_on": depends_on}}}))
        assert faults == []
        assert flow.units["a", "x"].needs == (Need(("a", "y"), hard=True),)


@pytest.mark.parametrize(
    "unit, said",
    [
        ({"url": "x"}, "unknown field 'url'"),
        ({"priority": "high"}, "priority 'high' must be a number"),
        ({"priority": float("nan")}, "priority nan must be a number"),
        ({"priority": True}, "priority True must be a number"),
        ({"delay": -1}, "delay -1 must be a number of seconds, 0 or more"),
        ({"delay": None}, "delay None must be a number"),
        ({"data": 5}, "data 5 must be a map"),
        ({"data": {"n": {1: 2}}}, "data, at 'n': "),
        ({"data": {"n": {1, 2}}}, "data, at 'n': "),
        ({"locks": "index"}, "locks 'index' must be a list; each item is a path as [index, 3]"),
        ({"locks": [5]}, "locks: item 5 must be a path as [index, 3] or /index/3, or {path:"),
        ({"locks": [{"path": ["a"], "mood": "bad"}]}, "locks: item {'mood': 'bad', 'path': ['a']}"),
        ({"locks": [{"path": 5}]}, "locks: path 5 must be"),
        ({"locks": ["a//b"]}, "locks: path 'a//b': it has a part without a name"),
        ({"locks": ["/"]}, "locks: path () has no parts"),
        ({"locks": [["a", 1], "a"]}, "locks: path ('a', 1) is under ('a',)"),
        ({"locks": [["index", True]]}, "part True of path ['index', True] is not usable"),
        ({"locks": [[["index"], "both"]]}, "mode 'both' must be"),
        ({"depends_on": "y"}, "depends_on 'y' must be a list"),
        ({"depends_on": [5]}, "depends_on item 5 must be KEY"),
        ({"depends_on": [["a"]]}, "depends_on item ['a'] must be KEY"),
        ({"depends_on": [["a", "y", True]]}, "must be KEY"),
        ({"depends_on": [{"spec": "a"}]}, "must be KEY"),
        ({"depends_on": [{"key": "y", "hard": 1}]}, "must be KEY"),
        ({"depends_on": [{"key": "y", "spec": 1}]}, "must be KEY"),
        ({"depends_on": [{"key": "y", "soft": True}]}, "must be KEY"),
        ({"depends_on": ["x"]}, "needs itself"),
        ("text", "'text' must be a map"),
    ],
)
def test_what_is_wrong_with_a_unit_names_it(unit, said):
    """Spec, key, and field, in one line."""
    _, (fault,) = read_flow(document({"a": {"x": unit}}))
    assert fault.startswith("work unit 'x' of 'a'")
    assert said in fault


@pytest.mark.parametrize(
    "units, said",
    [
        ([], "units: [] must be a map"),
        ({"a": 5}, "units of 'a': 5 must be a map"),
        ({"c": {}}, "units of 'c', which is no work spec of the flow"),
        ({"bb": {}}, "did you mean 'b'?"),
        ({"a": {1: {}}}, "work unit 1 of 'a': its key is no text: write '1'"),
        ({"a": {"\ud800": {}}}, "surrogate"),
    ],
)
def test_what_is_wrong_around_units(units, said):
    """The place is named, and what was perhaps meant."""
    _, (fault,) = read_flow(document(units))
    assert said in fault


@pytest.mark.parametrize(
    "specs, said",
    [
        ({"c": {"min_gb": "1"}}, "min_gb '1' of work spec 'c' must be a number"),
        ({"c": {"min_gb": 1, "then": "d"}}, "has then 'd', which is not in the flow"),
        ({"c": {"min_gb": 1, "then": ["a"]}}, "has then ['a'], which is not in the flow"),
        ({"c": {"module": "m"}}, "'c' is {'module': 'm'}: it must be a map with 'min_gb'"),
        ({"c": {"d": {}}}, "'c.d' is {}: it must be a map with 'min_gb'"),
        ({"c": {"min_gb": 1, "m": {1: 2}}}, "work spec 'c', at 'm': "),
        ({"c": {"d": SPEC}, "c.d": SPEC}, "work spec 'c.d' is there twice"),
    ],
)
def test_what_is_wrong_with_a_spec_names_it(specs, said):
    """Its whole name, and the field."""
    _, (fault,) = read_flow(document(None, **specs))
    assert said in fault


def test_names_of_specs_are_text():
    """YAML's `on` is a truth, and no name."""
    _, (fault,) = read_flow({"flows": {True: SPEC}})
    assert fault == "the name True of a work spec is no text: write 'True'"


def test_misspelt_units_are_not_passed_over():
    """Other parts of a document are nobody's business."""
    _, (fault,) = read_flow({"flows": {}, "unit": {}})
    assert fault == "unknown part 'unit': did you mean 'units'?"
    assert read_flow({"flows": {}, "anchors": {}, "units": None})[1] == []


def test_everything_that_is_wrong_is_told():
    """Not only the first thing; a spec that is wrong is known to its units."""
    units = {"c": {"x": {"a": 1, "priority": "p"}, "y": {"depends_on": ["y"]}}}
    _, faults = read_flow(document(units, c={"min_gb": None, "then": "d"}))
    assert len(faults) == 5


def test_cycles_name_their_path():
    """Each unit needs the next, as the server tells it; what only leads to a cycle is not in it."""
    units = units_of(("a", "b"), ("b", "c"), ("c", "b"), ("d", "dx"), ("x", ""))
    assert [cycle_text(path) for path in cycles(units)] == [
        "cycle of dependencies: 'b' of 's' -> 'c' of 's' -> 'b' of 's'",
        "work unit 'd' of 's' needs itself",
    ]


def test_long_chains_and_cycles_are_no_trouble():
    """Nothing recurses, and the message stays readable."""
    count = 50_000
    keys = [str(number) for number in range(count)]
    chain = units_of(("0", []), *((later, [earlier]) for earlier, later in pairwise(keys)))
    assert list(cycles(chain)) == []
    (run,) = runs(chain)
    assert [unit.key for unit in run] == keys
    loop = chain | units_of(("0", [keys[-1]]))
    (path,) = cycles(loop)
    assert len(path) == count + 1
    assert "(49981 more)" in cycle_text(path)


@st.composite
def graphs(draw):
    """Units of three specs without cycles, in any order, and who needs whom."""
    count = draw(st.integers(0, 12))
    names = [(draw(st.sampled_from("abc")), str(number)) for number in range(count)]
    needs = {
        name: draw(st.lists(st.sampled_from(names[:number]), unique=True)) if number else []
        for number, name in enumerate(names)
    }
    order = draw(st.permutations(names))
    return {
        name: Unit(
            name, {}, {}, tuple(Need(earlier, draw(st.booleans())) for earlier in needs[name])
        )
        for name in order
    }


@given(graphs())
def test_units_go_after_what_they_need(units):
    """Each once, in runs of one spec, and no two runs after each other are of the same."""
    found = list(runs(units))
    sent: set = set()
    for run in found:
        assert len({unit.spec for unit in run}) == 1
        for unit in run:
            assert all(need.earlier in sent for need in unit.needs)
            sent.add(unit.name)
    assert sent == set(units)
    assert sum(map(len, found)) == len(units)
    assert all(one[0].spec != other[0].spec for one, other in pairwise(found))


@given(graphs(), st.data())
def test_every_knot_is_found(units, data):
    """An edge against the order makes a cycle exactly where there is a way back."""
    assert list(cycles(units)) == []
    if not units:
        return
    first, last = (data.draw(st.sampled_from(sorted(units))) for _ in range(2))
    unit = units[first]
    changed = units | {first: Unit(first, {}, {}, (*unit.needs, Need(last)))}
    reached, left = set(), [last]
    while left:
        name = left.pop()
        reached.add(name)
        left.extend(need.earlier for need in units[name].needs)
    paths = list(cycles(changed))
    assert bool(paths) == (first in reached)
    for path in paths:
        assert path[0] == path[-1]
        for later, earlier in pairwise(path):
            assert earlier in [need.earlier for need in changed[later].needs]


def test_specs_are_set_after_the_one_that_they_lead_to():
    """A spec that makes units by itself finds a place for what comes out of them."""
    specs: dict[str, dict] = {"a": {"then": "b"}, "b": {"then": "c"}, "c": {}, "d": {"then": "e"}}
    assert targets_first(specs | {"e": {"then": "d"}}) == ["c", "b", "a", "e", "d"]


def test_differences_are_told_by_field():
    """Within maps, too; a tuple is a list, and a Python 2 server's byte strings are text."""
    old = {"name": "s", "min_gb": 1, "desc": "x", "config": {"a": {"b": 1, "c": 2}}}
    new = {"name": "s", "min_gb": 2, "priority": None, "config": {"a": {"b": 1, "c": 3}}}
    (change,) = plan([new], {}, {"s": old}, {}, again=False).specs
    assert change.kind == "changed"
    assert {one.field: one.values for one in change.differences} == {
        "min_gb": {"old": 1, "new": 2},
        "desc": {"old": "x"},
        "config.a.c": {"old": 2, "new": 3},
        "priority": {"new": None},
    }
    ours = {"name": "s", "run_params": [[1], "x"]}
    theirs = {"name": "s", "run_params": ((1,), b"x")}
    (change,) = plan([ours], {}, {"s": theirs}, {}, again=False).specs
    assert change.kind == "same"


ODD = 'say "<hi>" #1;\n'


def drawn():
    """A flow with everything that can be drawn."""
    needs = (Need(("a", "x")), Need(("b", ODD), hard=False))
    units = {
        ("a", "x"): Unit(("a", "x"), {}, {"priority": 1}),
        ("b", "y"): Unit(("b", "y"), {}, {}, needs),
    }
    specs = {"a": {"then": "b"}, "b": {"then": "b"}, "c": {"then": "a"}}
    return Flow(specs, units)


def test_mermaid():
    """Groups, arrows of each kind, dashes for what is outside; nothing in a name is markup."""
    assert list(mermaid(drawn())) == [
        "flowchart LR",
        '    subgraph s0["a"]',
        '        u0["x"]',
        "    end",
        '    subgraph s1["b, then itself"]',
        '        u1["y"]',
        '        u2["say #34;#60;hi#62;#34; #35;1#59;#10;"]',
        "    end",
        '    s2["c"]',
        "    u0 --> u1",
        "    u2 -.-> u1",
        "    s0 == then ==> s1",
        "    s2 == then ==> s0",
        "    classDef outside stroke-dasharray: 4 4",
        "    class u2 outside",
    ]


def test_dot():
    """The same in the words of Graphviz."""
    lines = [line.strip() for line in dot(drawn())]
    assert lines[:2] == ["digraph flow {", "compound=true; rankdir=LR; node [shape=box];"]
    assert 'u2 [label="say \\"<hi>\\" #1; ", style=dashed];' in lines
    assert lines[-6:] == [
        "u0 -> u1;",
        "u2 -> u1 [style=dashed];",
        "s0 -> s1 [label=then, style=bold, ltail=cluster_s0, lhead=cluster_s1];",
        "s1 -> s1 [label=then, style=bold];",
        "s2 -> s0 [label=then, style=bold, lhead=cluster_s0];",
        "}",
    ]


def test_plain_values():
    """Whoever draws it otherwise gets everything."""
    x, y, odd = ({"spec": spec, "key": key} for spec, key in [("a", "x"), ("b", "y"), ("b", ODD)])
    options = {"outside": False, "priority": None, "delay": None}
    assert as_values(drawn()) == {
        "specs": [{"name": n, "then": t} for n, t in [("a", "b"), ("b", "b"), ("c", "a")]],
        "units": [x | options | {"priority": 1}, y | options, odd | {"outside": True}],
        "edges": [
            {"later": y, "earlier": x, "hard": True},
            {"later": y, "earlier": odd, "hard": False},
        ],
    }


def test_without_units_only_specs_are_drawn():
    """And where they lead."""
    flow, faults = read_flow({"flows": {"a": {"min_gb": 1, "then": "b"}, "b": SPEC}})
    assert faults == []
    expected = ["flowchart LR", '    s0["a"]', '    s1["b"]', "    s0 == then ==> s1"]
    assert list(mermaid(flow)) == expected
