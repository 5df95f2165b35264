"""The published 0.1.5, on Python 2.7, against this server: TaskMaster, command line and worker.

`nox -s old` installs it and says where it is; without that, these tests are skipped.
"""

import contextlib
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from coordinate_client import TaskMaster
from tests.server.running import RunningServer

HERE = Path(__file__).parent
BIN = os.environ.get("OLD_COORDINATE_BIN")
PATIENCE = 60  # seconds until one of its programs counts as hung

pytestmark = pytest.mark.skipif(
    BIN is None, reason="no Coordinate 0.1.5 here: nox -s old brings it"
)


@pytest.fixture
def address(tmp_path):
    """A server of ours, as "host:port"."""
    with contextlib.closing(RunningServer(tmp_path, "--memory")) as server:
        yield "{}:{}".format(*server.address)


@pytest.fixture
def config(tmp_path, address):
    """A configuration that 0.1.5's programs read."""
    path = tmp_path / "config.yaml"
    fork = {"num_workers": 2, "heartbeat_interval": 1}
    block = {"address": address, "fork_worker": fork}
    path.write_text(json.dumps({"coordinate": block, "logging": {}}))
    return path


def start(program, *arguments):
    """Start one of 0.1.5's programs."""
    environment = {"PATH": os.defpath, "PYTHONPATH": str(HERE), "HOME": str(HERE)}
    command = [str(Path(BIN or "", program)), *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def output(program, *arguments):
    """Run one to its end, and give what it printed."""
    with start(program, *arguments) as process:
        printed, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    return printed


def loaded(config, tmp_path, count):
    """Have 0.1.5's command line load a spec and units; give a TaskMaster of ours to look."""
    spec = {"name": "copied", "min_gb": 0.1, "module": "job", "run_function": "copy"}
    (tmp_path / "spec.yaml").write_text(json.dumps(spec))
    lines = (json.dumps({f"k{number:02}": {"n": number}}) for number in range(count))
    (tmp_path / "units.json").write_text("\n".join(lines))
    files = ("-w", tmp_path / "spec.yaml", "-u", tmp_path / "units.json")
    output("coordinate", "-c", config, "load", *files)
    return TaskMaster({"address": json.loads(config.read_text())["coordinate"]["address"]})


def test_task_master_does_what_it_did(address):
    """Specs, chained units, failing, retrying, priorities and deleting, as 0.1.5 gives them."""
    seen = json.loads(output("python", HERE / "session.py", address))
    assert seen == {
        "specs": ["first", "second"],
        "spec is the same": True,
        "first unit": ["first", "k0", {"n": 0}, "w1"],
        "chained": [["k0-out", {"from": "k0", "params": ["p"]}]],
        "preempting": ["k0-out"],
        "failed": 5,
        "prioritised": "k3",
        "deleted": 1,
        "status": {
            "num_available": 2,
            "num_pending": 1,
            "num_blocked": 0,
            "num_finished": 1,
            "num_failed": 0,
            "num_tasks": 4,
        },
        "finished": ["k0"],
    }


def test_command_line_loads_and_runs_one(config, tmp_path):
    """What 0.1.5's `load` and `run_one` did is there for a client of ours."""
    with loaded(config, tmp_path, 2) as master:
        assert master.status("copied")["num_available"] == 2
        output("coordinate", "-c", config, "run_one", "--from-work-spec", "copied")
        assert [key for key, _ in master.get_work_units("copied", state=4)] == ["k00"]


def test_worker_finishes_everything(config, tmp_path):
    """0.1.5's forking worker runs 30 units, each to its end once."""
    with loaded(config, tmp_path, 30) as master:
        worker = start("coordinate_worker", "-c", config, "--foreground")
        with worker:
            assert worker.stderr is not None
            # It logs when a child finds nothing more to do; the log's end is the worker's.
            for line in worker.stderr:
                if "No work to do" in line and master.status("copied")["num_finished"] == 30:
                    break
            worker.send_signal(signal.SIGTERM)
            worker.communicate(timeout=PATIENCE)
        assert master.status("copied")["num_finished"] == 30


def test_a_server_begins_with_what_its_snapshot_has(tmp_path):
    """0.1.5 makes one now, and its own configuration has this server start from it."""
    output("python", HERE / "snapshot.py", tmp_path)
    names = f"{tmp_path}/snapshot_{{timestamp}}"
    block = {"job_queue": {"snapshot_path_format": names, "do_recover": True}}
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps({"coordinate": block}))
    server = RunningServer(tmp_path, "--config", path, "--data", tmp_path / "q.db")
    address = "{}:{}".format(*server.address)
    with contextlib.closing(server), TaskMaster({"address": address}) as master:
        assert master.count_work_units("s") == {1: 3, 3: 1, 4: 2, 5: 1}
        assert (master.get_work_spec("t") or {})["interval"] == 60
