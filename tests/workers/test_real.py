"""coordinate_worker as people start it, stop it, and kill it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.soak.fleet import wait_until
from tests.workers.conftest import KILL, PATIENCE, PROGRAM, TERM

KINDS = ["fork_worker", "loop_worker", "thread_worker", "async_worker"]


def gone(parent):
    """Whether nothing is left of a worker's processes."""
    return wait_until(lambda: not parent.processes())


def titled(parent, title):
    """The processes of a worker with something in their title."""
    return [pid for pid in parent.children() if title in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.parametrize("kind", [*KINDS, "single_worker"])
def test_once_runs_all_there_is(site, kind):
    """Exit status 0; and 2 when there was nothing."""
    site.spec()
    site.add(*"abcdef")
    done = site.run("--once", "--worker", kind, worker_job_fetch=4)
    assert done.returncode == 0, done.stderr
    ran = "abcd" if kind == "single_worker" else "abcdef"
    assert sorted(site.notes()) == list(ran)
    site.status(finished=len(ran), pending=0)
    if kind != "single_worker":
        assert site.run("--once", "--worker", kind).returncode == 2
    assert site.master.workers() == {}


@pytest.mark.parametrize("kind", KINDS)
def test_an_idle_worker_ends_when_it_is_told(site, kind):
    """And nothing is left, of it or at the server."""
    site.spec()
    parent = site.start(worker=kind)
    assert wait_until(site.master.workers)
    assert parent.stop() == 0
    assert gone(parent)
    assert site.master.workers() == {}


@pytest.mark.parametrize("kind", KINDS)
def test_new_work_begins_at_once(site, kind):
    """A worker waits at the server."""
    site.spec()
    parent = site.start(worker=kind)
    assert wait_until(site.master.workers)
    site.add("a")
    site.status(finished=1)
    site.add("b")
    site.status(finished=2)
    assert parent.stop() == 0


@pytest.mark.parametrize("kind", KINDS[:3])
def test_what_runs_is_finished_when_it_is_stopped(site, kind):
    """What was fetched with it and not begun is given back."""
    site.spec("meets")
    site.add(*"abc")
    parent = site.start(worker=kind, worker_job_fetch=3, **{kind: {"num_workers": 1}})
    assert site.meet()[0] == "a"
    parent.process.send_signal(TERM)
    site.status(pending=1, available=2)
    site.let_go()
    assert parent.process.wait(PATIENCE) == 0
    site.status(finished=1, available=2)
    assert gone(parent)


@pytest.mark.parametrize("kind", ["fork_worker", "loop_worker"])
def test_what_runs_is_given_back_by_a_second_signal(site, kind):
    """Its code could clean up."""
    site.spec("meets")
    site.add("a")
    parent = site.start(worker=kind)
    site.meet()
    parent.process.send_signal(TERM)
    assert wait_until(lambda: "stopping" in site.log())
    parent.process.send_signal(TERM)
    assert parent.process.wait(PATIENCE) == 0
    site.status(available=1)
    assert site.notes() == ["a"]
    assert gone(parent)


def test_a_killed_child_takes_nothing_with_it(site):
    """Its unit runs elsewhere at once, long before its lease is over."""
    site.spec("meets")
    site.add("a")
    parent = site.start()
    _, pid = site.meet()
    os.kill(pid, KILL)
    key, other = site.meet()
    assert (key, pid != other) == ("a", True)
    site.let_go()
    site.status(finished=1)
    attempts = site.master.get_work_unit_attempts("s", "a")
    assert [one["outcome"] for one in attempts] == ["lost", "finished"]
    assert parent.stop() == 0


def test_children_of_a_killed_parent_finish_what_they_run(site):
    """And end then: nobody is there to look after them."""
    site.spec("meets")
    site.add("a", "b", "c")
    parent = site.start(fork_worker={"num_workers": 1})
    site.meet()
    parent.kill()
    site.let_go()
    site.status(finished=1, available=2)
    assert gone(parent)


def test_a_killed_messenger_is_followed_by_another(site):
    """Heartbeats go on, and the parent does not mind."""
    parent = site.start(fork_worker={"num_workers": 1, "heartbeat_interval": 0.2})
    assert wait_until(site.master.workers)
    assert wait_until(lambda: titled(parent, b"messenger"))
    os.kill(titled(parent, b"messenger")[0], KILL)
    assert wait_until(lambda: "another one is started" in site.log())
    site.spec()
    site.add("a")
    site.status(finished=1)
    assert parent.stop() == 0


def test_an_abort_ends_it_at_once(site):
    """What was running is given back."""
    site.spec("meets")
    site.add("a")
    parent = site.start()
    site.meet()
    parent.process.send_signal(signal.SIGABRT)
    parent.process.wait(PATIENCE)
    site.status(pending=0, available=1)
    assert gone(parent)


def test_a_unit_that_runs_too_long_is_killed(site):
    """Though its code does not listen: SIGTERM, and in the end SIGKILL."""
    site.spec("swallows", max_runtime=0.2)
    site.add("a")
    parent = site.start()
    site.meet()
    site.status(failed=1)
    assert "max_runtime of 0.2 s exceeded" in reason(site)
    assert parent.stop() == 0


def reason(site):
    """Why unit a failed."""
    ((_, data),) = site.master.get_work_units("s", ["a"])
    return data["traceback"]


def test_a_unit_whose_lease_is_about_to_end_is_stopped(site):
    """And failed with what 0.1.5 said then; its code could clean up."""
    site.spec("meets")
    site.add("a")
    parent = site.start(auto_renew=False, default_lifetime=2, fork_worker={"stop_jobs_early": 1})
    site.meet()
    site.status(failed=1)
    assert reason(site) == "job expired"
    assert wait_until(lambda: site.notes() == ["a"])
    assert parent.stop() == 0


def test_a_unit_that_takes_too_much_memory_is_killed(site):
    """And says so; the machine's own killer has nothing to do."""
    site.spec("grows")
    site.add("a")
    parent = site.start(fork_worker={"max_memory_gb": 0.15})
    site.status(failed=1)
    assert "GiB of memory used, max_memory_gb is 0.15" in reason(site)
    assert parent.stop() == 0


def test_many_units_of_a_loop_run_at_once(site):
    """In one process, where they wait."""
    site.spec("waits")
    site.add(*"abc")
    parent = site.start(worker="async_worker", async_worker={"num_workers": 3})
    assert wait_until(lambda: sorted(site.notes()) == ["a", "b", "c"])
    # All of them are there, and none has ended.
    site.status(pending=3)
    site.let_go()
    site.status(finished=3)
    assert parent.stop() == 0


def test_titles_say_what_runs(site):
    """As `ps` shows them."""
    pytest.importorskip("setproctitle")
    site.spec("meets")
    site.add("a")
    parent = site.start()
    _, pid = site.meet()
    assert Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"coordinate_worker: s a")
    site.let_go()
    assert parent.stop() == 0


def test_log_lines_may_be_json(site):
    """Each names the unit that it is about."""
    site.spec("nowhere")
    site.add("a")
    done = site.run("--once", "--log-format", "json", "--num-workers", "1")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    (failed,) = (line for line in lines if "nowhere" in line["message"])
    assert (failed["work_spec"], failed["work_unit"], failed["attempt"] > 0) == ("s", "a", True)


def test_it_goes_into_the_background(site):
    """With its number in a file, and its lines in another."""
    pid, log = site.directory / "pid", site.directory / "log"
    command = [*PROGRAM, "-c", site.config(), "--pidfile", str(pid), "--logpath", str(log)]
    done = subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
    assert done.stdout + done.stderr == b""
    assert wait_until(lambda: pid.exists() and site.master.workers())
    number = int(pid.read_text())
    os.kill(number, TERM)
    assert wait_until(lambda: not Path(f"/proc/{number}").exists())
    assert not pid.exists()
    assert "stopped" in log.read_text()


@pytest.mark.parametrize(
    "options, status, message",
    [
        (["--num-workers", "0"], 64, "'0' must be a whole number, 1 or more"),
        (["--worker", "spoon"], 64, "invalid choice: 'spoon'"),
        (["-c", "nowhere.yaml"], 1, "cannot read 'nowhere.yaml': No such file or directory"),
        (["--address", "a:b:c"], 1, "a:b:c"),
        (["--logpath", "/nowhere/at/all"], 1, "cannot write the log"),
    ],
)
def test_wrong_usage_is_told_in_a_line(options, status, message):
    """Before anything is started."""
    done = subprocess.run(
        [*PROGRAM, "--foreground", *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == status
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert sys.executable not in done.stderr
