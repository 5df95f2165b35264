"""Every command at least once, as a process of its own, on a real server."""

import json
import socket
import subprocess
import sys

import pytest

JOBS = """\
def double(unit, by):
    unit.data["doubled"] = unit.data["n"] * by


def refuse(unit):
    raise ValueError("not today")
"""
DOUBLE = "name: double\nmin_gb: 0\nmodule: jobs\nrun_function: double\nrun_params: [2]\n"
REFUSE = '{"name": "refuse", "min_gb": 0, "module": "jobs", "run_function": "refuse"}\n'


@pytest.fixture
def loaded(coordinate, tmp_path):
    """The command line, with three units of one spec and one of another."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "double.yaml").write_text(DOUBLE)
    (tmp_path / "refuse.json").write_text(REFUSE)
    (tmp_path / "units").write_text('# three\n{"a": {"n": 1}}\n{"b": {"n": 2}, "c": {"n": 3}}\n')
    coordinate("load", "-w", "double.yaml", "-u", "units")
    coordinate("load", "-w", "refuse.json", "-u", "-", input='{"x": {}}\n')
    return coordinate


def told(text):
    """What a command told as JSON: one document, and nothing else."""
    return json.loads(text)


def test_loading_is_seen_everywhere(loaded):
    """work_specs, work_spec, status, summary, work_units say the same of what was loaded."""
    assert loaded("work_specs") == "double\nrefuse\n"
    assert told(loaded("work_spec", "-w", "double.yaml", "--json"))["run_params"] == [2]
    assert "run_function: double\n" in loaded("work_spec", "-W", "double")
    assert told(loaded("status", "-W", "double"))["num_available"] == 3
    assert told(loaded("summary", "--json"))["double"]["num_tasks"] == 3
    assert loaded("summary").splitlines()[2].split()[:2] == ["double", "3"]
    assert loaded("work_units", "-W", "double", "-s", "available") == "a\nb\nc\n"
    assert told(loaded("work-units", "-W", "double", "--details", "--json"))["c"] == {"n": 3}


def test_run_one_runs_what_there_is(loaded):
    """A unit each time; 2 says that there was none; a failed unit was work, too."""
    loaded("run_one", "--from-work-spec", "double")
    assert told(loaded("status", "-W", "double"))["num_finished"] == 1
    ran = loaded("run_one", "--from-work-spec", "double", "--limit-count", "2", "--json")
    assert told(ran) == {"runs": 2, "bored": False}
    loaded("run_one", "--from-work-spec", "double", code=2)
    done = told(loaded("work_units", "-W", "double", "-s", "finished", "--details", "--json"))
    assert {key: data["doubled"] for key, data in done.items()} == {"a": 2, "b": 4, "c": 6}
    loaded("run_one")
    failed = told(loaded("work_unit", "-W", "refuse", "x", "--json"))
    assert failed["x"]["status_name"] == "failed"
    assert "not today" in failed["x"]["traceback"]


def test_run_one_fetches_several_at_once(loaded):
    """--max-jobs is how many one call brings; all of them are run."""
    loaded("run_one", "--from-work-spec", "double", "--max-jobs", "3")
    assert told(loaded("status", "-W", "double"))["num_finished"] == 3


def test_failed_units_are_retried(loaded):
    """By name, and all; of one spec, and of every one."""
    loaded("run_one", "--from-work-spec", "refuse")
    assert loaded("retry", "-W", "refuse", "x") == "Retried 1 work unit.\n"
    loaded("retry", "-W", "refuse", "nope", code=1)
    loaded("run_one", "--from-work-spec", "refuse")
    assert loaded("retry", "-W", "-", "--all") == "Retried 1 work unit.\n"
    assert loaded("retry", "-W", "refuse", "-a") == "Nothing to do.\n"
    loaded("retry", "-W", "nope", "-a", code=1)


def test_paused_specs_give_no_work(loaded):
    """Until they are resumed."""
    loaded("pause", "double")
    loaded("run_one", "--from-work-spec", "double", code=2)
    loaded("resume", "double")
    loaded("run_one", "--from-work-spec", "double")
    loaded("pause", "nope", code=1)


def test_prioritized_units_come_first(loaded):
    """The last by name is the first that is run."""
    loaded("prioritize", "double", "nope", code=1)
    loaded("prioritize", "double", "c")
    loaded("run_one", "--from-work-spec", "double")
    assert loaded("work_units", "-W", "double", "-s", "finished") == "c\n"


def test_units_are_cleared(loaded):
    """By name, by status, all."""
    loaded("run_one", "--from-work-spec", "double")
    assert loaded("clear", "-W", "double", "-s", "finished") == "Removed 1 work units.\n"
    assert told(loaded("clear", "-W", "double", "b", "--json"))["removed"] == 1
    assert loaded("clear", "-W", "double") == "Removed 1 work units.\n"
    loaded("clear", "-W", "nope", code=1)


def test_addwork_adds_to_a_spec(loaded):
    """More units for what is there; a spec that is not there is an error."""
    loaded("addwork", "-W", "double", "-u", "-", input='{"d": {"n": 4}}\n')
    assert told(loaded("status", "-W", "double"))["num_tasks"] == 4
    loaded("addwork", "-W", "nope", "-u", "units", code=1)


def test_unknown_names_are_errors(loaded):
    """One line on standard error, code 1, whichever command was given them."""
    for command in ["status", "work_units", "work_spec"]:
        loaded(command, "-W", "nope", code=1)
    loaded("work_units", "-W", "nope", "-s", "failed", code=1)
    loaded("work_unit", "-W", "double", "nope", code=1)
    loaded("rpc", "nope", code=1)


def test_flow_makes_all_specs(coordinate, tmp_path):
    """Nested names join with a dot; a `then` that leads nowhere is an error."""
    flow = tmp_path / "flow.yaml"
    flow.write_text("flows: {a: {one: {min_gb: 1, then: a.two}, two: {min_gb: 1}}}\n")
    coordinate("flow", "flow.yaml")
    assert coordinate("work_specs") == "a.one\na.two\n"
    flow.write_text("flows: {one: {min_gb: 1, then: nowhere}}\n")
    coordinate("flow", "flow.yaml", code=1)


def test_server_tells_about_itself(coordinate):
    """Its configuration, its workers, and whatever rpc asks."""
    assert told(coordinate("config", "--json"))
    assert coordinate("workers", "--all", "--details") == ""
    assert told(coordinate("worker_stats", "--json"))["num_workers"] == 0
    coordinate("rpc", "worker_heartbeat", "w1", "RUN", "60", "{fqdn: h}", "null")
    assert coordinate("workers") == "w1 (RUN)\n"
    assert "  fqdn: h\n" in coordinate("workers", "--details")
    assert told(coordinate("rpc", "--json", "get_work_spec", "nope")) is None


def test_workers_are_seen_asked_and_relieved_of_units(loaded):
    """workers, mode and cancel, on a worker that has one unit and says that it runs it."""
    loaded("rpc", "get_work", "w1", "{available_gb: 1, work_spec_names: [double]}")
    running = "{worker_id: w1, work_spec_name: double, work_unit_key: a, progress: 0.5}"
    said = f"{{host: h, pid: 7, running: [{running}]}}"
    loaded("rpc", "worker_heartbeat", "w1", "RUN", "60", said, "null")
    host, worker, unit = loaded("workers", "--tree").splitlines()
    assert (host, worker) == ("h", "  w1 (RUN), pid 7")
    assert unit.startswith("      a of double, for ")
    assert ", 50%, lease " in unit
    assert loaded("mode", "IDLE", "--host", "h") == "Asked 1 worker to take no more work.\n"
    assert loaded("mode") == "all: RUN\nhost h: IDLE\n"
    assert told(loaded("workers", "--json"))["w1"]["asked"] == "IDLE"
    cancelled = loaded("cancel", "double", "a", "b", "--reason", "wrong")
    assert cancelled.splitlines()[0] == "Cancelled 1 work unit."
    assert "(to be cancelled)" in loaded("workers", "--tree")
    assert told(loaded("cancel", "double", "-a", "--now", "--json")) == {"a": "cancelled"}
    status = told(loaded("work_unit", "-W", "double", "a", "--json"))["a"]
    assert (status["status_name"], status["reason"]) == ("failed", "cancelled")
    loaded("cancel", "double", "nope", code=1)


def test_delete_empties_the_namespace(loaded):
    """All specs, with -y or after a yes."""
    assert loaded("delete", input="n\n") == "not deleting anything\n"
    assert loaded("delete", "-y") == "deleted 2 work specs\n"
    assert loaded("work_specs") == ""


def test_no_server_is_code_3():
    """Nothing listens there: its own exit code, one line, what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    program = [sys.executable, "-c", "from coordinate_client.cli import main; main()"]
    command = [*program, "--address", f"127.0.0.1:{port}", "work_specs"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert len(ended.stderr.splitlines()) == 1
    assert "start one with 'coordinated'" in ended.stderr


def test_flow_runs_in_order_and_is_explained(coordinate, tmp_path):
    """A graph of units is loaded, drawn, run in its order, and says why it waits."""
    (tmp_path / "jobs.py").write_text(JOBS)
    (tmp_path / "flow.json").write_text(
        json.dumps(
            {
                "flows": {
                    name: {
                        "min_gb": 0,
                        "module": "jobs",
                        "run_function": function,
                        "run_params": by,
                    }
                    for name, function, by in (("double", "double", [2]), ("refuse", "refuse", []))
                },
                "units": {
                    "double": {
                        "first": {"data": {"n": 1}},
                        "last": {"data": {"n": 2}, "depends_on": [["refuse", "middle"]]},
                    },
                    "refuse": {"middle": {"depends_on": [["double", "first"]]}},
                },
            }
        )
    )
    assert "would have added 3 new work units" in coordinate("flow", "--dry-run", "flow.json")
    assert coordinate("work_specs") == ""
    coordinate("flow", "flow.json")
    answer = "it waits for 1 unit: 'first' of 'double'"
    assert coordinate("explain", "refuse", "middle").splitlines()[0] == answer
    coordinate("run_one")
    coordinate("run_one")
    failed = told(coordinate("explain", "double", "last", "--json"))
    assert failed["text"] == "it failed: needs 'middle' of 'refuse', which failed"
    attempts = told(coordinate("attempts", "refuse", "middle", "--json"))
    assert [attempt["outcome"] for attempt in attempts] == ["failed"]
    assert "ValueError: not today" in attempts[0]["traceback"]
    coordinate("retry", "-W", "refuse", "middle")
    counts = told(coordinate("explain", "double", "--json"))["counts"]
    assert (counts["blocked"], counts["finished"], counts["runnable"]) == (1, 1, 0)
