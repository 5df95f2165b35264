"""The command `flow`: from a file to the server, with and without changing anything."""

import json
import sys
from pathlib import Path

import pytest

from coordinate_client.exceptions import ConnectionFailed
from coordinate_client.server import Server
from coordinate_client.specs import flow_specs
from tests.cli.fakes import FakeTaskMaster, run

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "flow" / "pipeline.yaml"
DOCUMENTATION = ROOT / "docs" / "cli.md"
NEW = Server(1, "1", "", frozenset({"delay", "dependencies"}))
FLOW = """\
flows:
  fetch: {min_gb: 1, then: index}
  index: {min_gb: 1}
units:
  index:
    all: {depends_on: [[fetch, p1], {spec: fetch, key: p2, hard: false}]}
  fetch:
    p1: {data: {url: u1}, priority: 2}
    p2: {data: {url: u2}, delay: 5}
"""


@pytest.fixture(autouse=True)
def _without_configuration(monkeypatch):
    """What another test set up with yakonfig is not of these flows."""
    monkeypatch.delitem(sys.modules, "yakonfig", raising=False)


class FlowMaster(FakeTaskMaster):
    """A server that takes units as the real one does: what they need has to be there."""

    def __init__(self, server: Server | None = NEW):
        super().__init__()
        self.server = server
        self.specs = {}
        self.added: dict = {}
        self.calls: list = []

    def add_flow(self, flows, config=None):
        for spec in flow_specs(flows, config or {}):
            self.set_work_spec(spec)

    def set_work_spec(self, spec):
        self.calls.append(spec["name"])
        super().set_work_spec(spec)

    def add_work_units(self, name, units):
        if self.broken is not None and self.added:
            raise self.broken
        here = {(name, unit[0]) for unit in units}
        for unit in units:
            options = unit[2] if len(unit) > 2 else {}
            for spec, key, _hard in options.get("depends_on", []):
                if (spec, key) not in here and (spec, key) not in self.added:
                    return False
        self.added |= dict.fromkeys(here, 1)
        self.calls.append((name, units))
        return name in self.specs

    def get_work_unit_status(self, name, key):
        if name not in self.specs:
            return None
        found = [self.added.get((name, one)) for one in key]
        return [status and {"status": status} for status in found]


def flow(text, *options, master=None, code=0):
    """Load a flow from standard input; what was printed."""
    master = FlowMaster() if master is None else master
    result = run("flow", "-", *options, master=master, input=text)
    assert result.exit_code == code, result.stderr
    return result.stdout if code == 0 else result.stderr


def test_specs_then_units_then_those_that_need_them():
    """What a unit needs goes with it; nothing comes before what it needs."""
    master = FlowMaster()
    assert flow(FLOW, master=master) == (
        "loaded flow standard input: 2 of 2 work specs (2 new, 0 changed, 0 the same)\n"
        "added 3 new work units, 0 once more, with 2 dependencies; left 0 alone that are there\n"
    )
    first = [("p1", {"url": "u1"}, {"priority": 2}), ("p2", {"url": "u2"}, {"delay": 5})]
    needs = [("fetch", "p1", True), ("fetch", "p2", False)]
    assert master.calls == [
        "index",
        "fetch",
        ("fetch", first),
        ("index", [("all", {}, {"depends_on": needs})]),
    ]


def test_a_second_load_changes_nothing():
    """Specs that are the same are not set, and units that are there are left alone."""
    master = FlowMaster()
    flow(FLOW, master=master)
    master.calls.clear()
    told = json.loads(flow(FLOW, "--json", master=master))
    assert master.calls == []
    assert told["flows"] == ["fetch", "index"]
    assert told["units"] == {"new": 0, "again": 0, "left_alone": 3, "edges": 0}


def test_only_what_is_new_or_changed_is_sent():
    """A unit that needs one that is there already gets it as it is."""
    master = FlowMaster()
    flow(FLOW, master=master)
    master.calls.clear()
    more = FLOW.replace("index: {min_gb: 1}", "index: {min_gb: 2}") + "    p3: {depends_on: [p1]}\n"
    flow(more, master=master)
    assert master.calls == [
        "index",
        ("fetch", [("p3", {}, {"depends_on": [("fetch", "p1", True)]})]),
    ]


def test_again_adds_everything_once_more():
    """In the same order as the first time."""
    master = FlowMaster()
    flow(FLOW, master=master)
    first = master.calls[2:]
    master.calls.clear()
    assert "added 0 new work units, 3 once more, with 2 " in flow(FLOW, "--again", master=master)
    assert master.calls == first


def test_dry_run_tells_and_does_nothing():
    """Specs with what changes in them, units with what becomes of them, edges."""
    master = FlowMaster()
    flow(FLOW, master=master)
    master.added["fetch", "p1"] = 4
    del master.added["index", "all"]
    master.calls.clear()
    changed = FLOW.replace("index: {min_gb: 1}", "index: {min_gb: 2}\n  other: {min_gb: 1}")
    assert flow(changed, "--dry-run", master=master) == (
        "work spec 'index': changed\n"
        "    min_gb: 1 -> 2\n"
        "work spec 'fetch': the same\n"
        "work spec 'other': new\n"
        "work unit 'all' of 'index': new, needs 'p1' of 'fetch', softly needs 'p2' of 'fetch'\n"
        "work unit 'p1' of 'fetch': there already (finished), left alone\n"
        "work unit 'p2' of 'fetch': there already (available), left alone\n"
        "would set 2 of 3 work specs (1 new, 1 changed, 1 the same)\n"
        "would have added 1 new work units, 0 once more, with 2 dependencies; left 2 alone that are"
        " there\n"
    )
    again = flow(changed, "--dry-run", "--again", master=master)
    assert "'p1' of 'fetch': there already (finished), made available again\n" in again
    assert master.calls == []


LOCKED = "  fetch: {p3: {locks: [[index, 3], {path: [log], mode: shared}]}}\n"


def test_units_need_locks():
    """They go with the units; a server that would not heed them is not given any."""
    master = FlowMaster(Server(1, "1", "", frozenset({"unit_locks"})))
    text = f"flows: {{fetch: {{min_gb: 1}}}}\nunits:\n{LOCKED}"
    dry = flow(text, "--dry-run", master=master)
    assert "work unit 'p3' of 'fetch': new, locks /index/3, locks /log shared\n" in dry
    flow(text, master=master)
    locks = [
        {"path": ["index", 3], "mode": "exclusive"},
        {"path": ["log"], "mode": "shared"},
    ]
    assert master.calls == ["fetch", ("fetch", [("p3", {}, {"locks": locks})])]
    told = json.loads(flow(text, "--dry-run", "--again", "--json", master=master))
    assert told["units"][0]["locks"] == locks
    assert "would ignore 'locks'" in flow(text, master=FlowMaster(), code=1)
    wrong = text.replace("[index, 3]", "3")
    assert "'p3' of 'fetch': locks: item 3 must be a path as [index, 3]" in flow(wrong, code=1)


def test_dry_run_as_json():
    """The same for programs."""
    master = FlowMaster()
    flow("flows: {fetch: {min_gb: 1}}", master=master)
    told = json.loads(flow(FLOW, "--dry-run", "--json", master=master))
    assert told["specs"] == [
        {"name": "index", "change": "new", "fields": {}},
        {"name": "fetch", "change": "changed", "fields": {"then": {"new": "index"}}},
    ]
    assert told["units"][0] == {
        "spec": "index",
        "key": "all",
        "change": "new",
        "status": None,
        "depends_on": [
            {"spec": "fetch", "key": "p1", "hard": True},
            {"spec": "fetch", "key": "p2", "hard": False},
        ],
        "locks": [],
    }
    assert told["counts"] == {"new": 3, "again": 0, "left_alone": 0, "edges": 2}


def test_needed_units_may_be_on_the_server_only():
    """Also of specs that are not in the file; one that is nowhere is an error before anything."""
    text = "flows: {a: {min_gb: 1}}\nunits: {a: {x: {depends_on: [y, [other, z]]}}}\n"
    master = FlowMaster()
    told = flow(text, master=master, code=1)
    assert "'x' of 'a' needs 'y' of 'a', which is neither in the file nor on the server" in told
    assert "'x' of 'a' needs 'z' of 'other', which is neither" in told
    assert told.endswith("coordinate: standard input: 2 errors: nothing was changed\n")
    assert master.calls == []
    master.specs = {"a": {"name": "a", "min_gb": 1}, "other": {"name": "other", "min_gb": 1}}
    master.added = {("a", "y"): 4, ("other", "z"): 1}
    flow(text, master=master)
    assert ("a", "x") in master.added


def test_a_loaded_unit_does_not_miss_what_was_archived():
    """The server forgets ended units; those that needed them are there and ask for nothing."""
    master = FlowMaster()
    text = "flows: {a: {min_gb: 1}}\nunits: {a: {x: {depends_on: [y]}}}\n"
    master.specs = {"a": {"name": "a", "min_gb": 1, "config": {}}}
    master.added = {("a", "x"): 4}
    flow(text, master=master)
    assert master.calls == []


def test_errors_are_a_line_each_and_send_nothing():
    """With the number of them at the end; a single one stands alone."""
    master = FlowMaster()
    wrong = FLOW.replace("priority: 2", "prio: 2").replace("delay: 5", "delay: -5")
    lines = flow(wrong, master=master, code=1).splitlines()
    assert len(lines) == 3
    assert all(line.startswith("coordinate: ") for line in lines)
    (line,) = flow(FLOW.replace("priority: 2", "prio: 2"), master=master, code=1).splitlines()
    assert line.startswith("coordinate: standard input: work unit 'p1' of 'fetch': unknown field")
    assert master.calls == []


def test_very_many_errors_are_not_all_shown():
    """Their number is."""
    units = "".join(f"    {number}: {{}}\n" for number in range(300))
    lines = flow(f"flows: {{a: {{min_gb: 1}}}}\nunits:\n  a:\n{units}", code=1).splitlines()
    assert len(lines) == 101
    assert "300 errors: nothing was changed; the first 100 are shown" in lines[-1]


def test_keys_that_are_there_twice_are_named_by_line():
    """YAML would take the last; what `<<` brings in may be said again, as it is meant."""
    told = flow(FLOW + "    p1: {}\n", code=1)
    assert told == ("coordinate: standard input: line 10: key 'p1' is there twice, on line 8 too\n")
    merged = "base: &b {min_gb: 1, desc: x}\nflows: {a: {<<: *b, min_gb: 2}, c: {<<: *b}}\n"
    master = FlowMaster()
    flow(merged, master=master)
    assert master.specs["a"] == {"name": "a", "min_gb": 2, "desc": "x", "config": {}}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "a: [",
        "flows: 5",
        "units: {}",
        "flows: &a {x: *a}",
        "flows: {? [a] : b}",
        "a: !!python/object:os.system x",
        "a: 2026-99-99",
        "a:" + "[" * 5000 + "]" * 5000,
    ],
)
def test_what_is_no_flow_is_one_line(text):
    """Whatever it is, it is an error like any other."""
    told = flow(text, code=1)
    assert len(told.splitlines()) == 1
    assert "standard input" in told


def test_a_configuration_that_cannot_be_sent_is_refused(tmp_path):
    """It is part of the specs, and comes from elsewhere."""
    config = tmp_path / "config.yaml"
    config.write_text("day: 2026-01-01\n")
    master = FlowMaster()
    told = flow("flows: {a: {min_gb: 1}}", "-c", str(config), master=master, code=1)
    assert "work spec 'a', at 'config': " in told
    assert master.calls == []


def test_an_old_server_is_given_no_dependencies():
    """It would hand everything out at once; so nothing is sent at all."""
    master = FlowMaster(server=None)
    assert "the server would ignore " in flow(FLOW, master=master, code=1)
    assert master.calls == []
    flow("flows: {a: {min_gb: 1}}\nunits: {a: {x: {priority: 1}}}", master=master)
    assert master.calls[1:] == [("a", [("x", {}, {"priority": 1})])]


def test_what_the_server_refuses_is_an_error():
    """A unit may have gone since it was looked at."""
    master = FlowMaster()
    master.specs["fetch"] = {"name": "fetch", "min_gb": 1, "then": "index", "config": {}}
    master.get_work_unit_status = lambda name, key: [{"status": 4} for _ in key]  # type: ignore[method-assign]
    text = FLOW.replace("p2: {data", "p3: {depends_on: [gone], data")
    told = flow(text, "--again", master=master, code=1)
    assert "stopped after 0 work units were added\n" in told
    assert "the server refused work units of 'fetch': it does not say why\n" in told


@pytest.mark.parametrize("broken", [KeyboardInterrupt(), ConnectionFailed("x", ["here:1"], "gone")])
def test_an_interrupted_load_is_repeated(broken):
    """It tells how far it came, and the next one adds the rest."""
    master = FlowMaster()
    master.broken = broken
    result = run("flow", "-", master=master, input=FLOW)
    assert result.exit_code in {3, 130}
    assert "stopped after 2 work units were added\n" in result.stderr
    master.broken = None
    told = json.loads(flow(FLOW, "--json", master=master))
    assert told["units"] == {"new": 1, "again": 0, "left_alone": 2, "edges": 2}


def test_big_flows_go_in_batches():
    """No more than a message should have of units, or of what they need."""
    wide = ", ".join(f"p{number}" for number in range(4000))
    lines = [f"    p{number}: {{}}\n" for number in range(4000)]
    lines += [f"    w{number}: {{depends_on: [{wide}]}}\n" for number in range(3)]
    master = FlowMaster()
    flow(f"flows: {{a: {{min_gb: 1}}}}\nunits:\n  a:\n{''.join(lines)}", master=master)
    assert [len(call[1]) for call in master.calls[1:]] == [1000, 1000, 1000, 1000, 2, 1]


def test_graph_asks_no_server():
    """Neither a server nor the modules of a configuration have to be there."""
    text = "yakonfig_modules: [not_there_at_all]\n" + FLOW
    for form, part in [("mermaid", "u1 --> u0"), ("dot", "u1 -> u0;"), ("json", '"edges": [')]:
        result = run("flow", "-", "--graph", form, master=object(), input=text)
        assert result.exit_code == 0, result.stderr
        assert part in result.stdout
    assert run("flow", "-", "--graph", "dot", "--dry-run", input=text).exit_code == 64


def test_the_example_loads():
    """The file that the documentation shows: everything in it is new, and nothing is left over."""
    master = FlowMaster()
    result = run("flow", str(EXAMPLE), "--json", master=master)
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told["flows"] == ["clean", "fetch", "report", "send"]
    assert told["units"] == {"new": 7, "again": 0, "left_alone": 0, "edges": 6}
    assert [call[0] for call in master.calls[4:]] == ["fetch", "clean", "report"]


def test_the_documentation_shows_the_example_as_it_is_drawn():
    """And what it shows of the file is in it."""
    text = DOCUMENTATION.read_text(encoding="utf-8")
    assert run("flow", str(EXAMPLE), "--graph", "mermaid").stdout in text
    shown = text.partition("From `examples/flow/pipeline.yaml`:\n")[2].partition("\n## ")[0]
    example = EXAMPLE.read_text(encoding="utf-8")
    lines = [line.removeprefix("    ") for line in shown.splitlines() if line]
    assert lines[0] == "units:"
    assert all(line in example.splitlines() for line in lines)
