"""Files of specs, units and flows on their way to the server."""

import gzip
import json

import pytest

from coordinate_client.cli.loading import sliced
from coordinate_client.exceptions import ConnectionFailed
from tests.cli.fakes import FakeTaskMaster, run

LINES = '# a comment\n\n{"a": {"n": 1}}\n  {"b": {}, "c": {"n": 3}}\n'
UNITS = [("a", {"n": 1}), ("b", {}), ("c", {"n": 3})]


def test_addwork_reads_lines(tmp_path):
    """Comments and empty lines mean nothing; a line may hold several units."""
    file = tmp_path / "units"
    file.write_text(LINES)
    master = FakeTaskMaster()
    result = run("addwork", "-W", "alpha", "-u", str(file), master=master)
    assert result.stdout == "finished writing 3 work units to work_spec='alpha'\n"
    assert master.batches == [("alpha", UNITS)]


def test_addwork_reads_standard_input():
    """A dash is standard input."""
    master = FakeTaskMaster()
    result = run("addwork", "-W", "alpha", "-u", "-", "--json", master=master, input=LINES)
    assert json.loads(result.stdout) == {"work_spec": "alpha", "added": 3}
    assert master.batches == [("alpha", UNITS)]


def test_addwork_reads_gzip(tmp_path):
    """By the end of the name."""
    file = tmp_path / "units.gz"
    file.write_bytes(gzip.compress(LINES.encode()))
    master = FakeTaskMaster()
    assert run("addwork", "-W", "alpha", "-u", str(file), master=master).exit_code == 0
    assert master.batches == [("alpha", UNITS)]


def test_broken_gzip_is_one_line(tmp_path):
    """A file that only claims to be compressed is an error like any other."""
    file = tmp_path / "units.gz"
    file.write_text(LINES)
    result = run("addwork", "-W", "alpha", "-u", str(file))
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


def test_wrong_line_is_named(tmp_path):
    """The message has the file, the line, and how much was added before it."""
    file = tmp_path / "units"
    for line in ["{", "[1]", '{"a": 1}', '"a"']:
        file.write_text(f"# first\n{line}\n")
        result = run("addwork", "-W", "alpha", "-u", str(file))
        assert result.exit_code == 1
        assert f"{str(file)!r}, line 2: " in result.stderr
        assert "(0 work units before it were added)" in result.stderr


def test_unknown_spec_is_told_before_reading():
    """Nothing is sent for a spec that does not exist."""
    master = FakeTaskMaster()
    result = run("addwork", "-W", "gamma", "-u", "-", master=master, input=LINES)
    assert (result.exit_code, master.batches) == (1, [])
    assert "no such work spec 'gamma'" in result.stderr


def test_slices_hold_their_bounds():
    """No more units and no more bytes than a message may have; a huge unit goes alone."""
    units: list = [((str(n), {}), size) for n, size in enumerate([5, 5, 5, 99, 1, 1, 1, 1])]
    batches = list(sliced(units, most_units=3, most_bytes=10))
    assert [[key for key, _ in batch] for batch in batches] == [
        ["0", "1"],
        ["2"],
        ["3"],
        ["4", "5", "6"],
        ["7"],
    ]


def test_many_units_go_in_slices():
    """A file of thousands is several calls."""
    master = FakeTaskMaster()
    lines = "".join(f'{{"{n}": {{}}}}\n' for n in range(2500))
    run("addwork", "-W", "alpha", "-u", "-", master=master, input=lines)
    assert [len(batch) for _name, batch in master.batches] == [1000, 1000, 500]


def test_load_creates_the_spec_first(tmp_path):
    """The spec comes from YAML or JSON; -n is its nice level."""
    spec = tmp_path / "spec.yaml"
    spec.write_text("name: made\nmin_gb: 1\n")
    master = FakeTaskMaster()
    result = run("load", "-w", str(spec), "-u", "-", "-n", "5", master=master, input=LINES)
    assert result.exit_code == 0
    assert master.specs["made"] == {"name": "made", "min_gb": 1, "nice": 5}
    assert master.batches == [("made", UNITS)]


def test_load_without_work(tmp_path):
    """--no-work makes the spec only; and exactly one of the two must be said."""
    spec = tmp_path / "spec.json"
    spec.write_text('{"name": "made", "min_gb": 1}')
    master = FakeTaskMaster()
    result = run("load", "-w", str(spec), "--no-work", master=master)
    assert (result.stdout, master.batches) == ("no work units. done.\n", [])
    assert master.specs["made"] == {"name": "made", "min_gb": 1}
    assert run("load", "-w", str(spec)).exit_code == 64
    assert run("load", "-w", str(spec), "-u", "-", "--no-work").exit_code == 64


def test_a_file_without_a_name_is_no_spec(tmp_path):
    """The message says what is missing."""
    for text in ["min_gb: 1", "[1]", "a: [", "\tname: x"]:
        spec = tmp_path / "spec.yaml"
        spec.write_text(text)
        result = run("status", "-w", str(spec))
        assert result.exit_code == 1
        assert repr(str(spec)) in result.stderr


def test_flow_goes_to_the_server_with_its_configuration(tmp_path):
    """The specs get the configuration of -c, or none."""
    flow = tmp_path / "flow.yaml"
    flow.write_text("flows: {one: {name: one, min_gb: 1}}\n")
    config = tmp_path / "config.yaml"
    config.write_text("other: {x: 1}\n")
    flows = {"one": {"name": "one", "min_gb": 1}}
    master = FakeTaskMaster()
    assert run("flow", str(flow), master=master).exit_code == 0
    assert run("flow", "-c", str(config), str(flow), master=master).exit_code == 0
    assert run("-c", str(config), "flow", str(flow), master=master).exit_code == 0
    given = {"other": {"x": 1}}
    assert master.noted == [("add_flow", flows, c) for c in (None, given, given)]


def test_flow_fills_in_the_defaults_of_its_modules(tmp_path, monkeypatch):
    """yakonfig_modules are imported; what they default to is in the specs' configuration."""
    (tmp_path / "my_application.py").write_text(
        "config_name = 'mine'\ndefault_config = {'size': 7}\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    flow = tmp_path / "flow.yaml"
    flow.write_text("yakonfig_modules: [my_application]\nflows: {one: {name: one, min_gb: 1}}\n")
    master = FakeTaskMaster()
    assert run("flow", str(flow), master=master).exit_code == 0
    assert master.noted[0][2]["mine"] == {"size": 7}


def test_flow_tells_the_names_of_its_specs(tmp_path):
    """As they are on the server: nested names joined."""
    flow = tmp_path / "flow.yaml"
    flow.write_text("flows: {a: {one: {min_gb: 1}}, b: {min_gb: 1}}\n")
    told = json.loads(run("flow", str(flow), "--json").stdout)
    assert told == {"flows": ["a.one", "b"]}


@pytest.mark.parametrize("broken", [KeyboardInterrupt(), ConnectionFailed("x", ["here:1"], "gone")])
def test_stopped_loading_tells_how_far_it_came(tmp_path, broken):
    """Ctrl-C and a server that is gone: what was added before stays."""
    file = tmp_path / "units"
    file.write_text("".join(f'{{"{n}": {{}}}}\n' for n in range(1500)))
    master = FakeTaskMaster()
    master.broken = broken
    result = run("addwork", "-W", "alpha", "-u", str(file), master=master)
    assert result.exit_code in {3, 130}
    assert "stopped after 1000 work units were added\n" in result.stderr


def test_a_file_without_flows_is_no_flow(tmp_path):
    """The message says what it should hold; a module that is not there is named."""
    flow = tmp_path / "flow.yaml"
    flow.write_text("x: 1\n")
    assert "it needs 'flows: {name: spec}'" in run("flow", str(flow)).stderr
    flow.write_text("yakonfig_modules: [not_there_at_all]\nflows: {}\n")
    result = run("flow", str(flow))
    assert result.exit_code == 1
    assert "'not_there_at_all'" in result.stderr
