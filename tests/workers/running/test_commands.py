"""Commands: what they are given, what is kept of them, and that nothing is left of them."""

import os
import sys
import threading
from pathlib import Path

import pytest

from coordinate_client.workers.running import Runner, RunnerSettings
from coordinate_client.workers.running.commands import Tail, command_environment
from coordinate_client.workers.running.documents import as_json
from tests.workers.running.desk import Desk

PYTHON = sys.executable


@pytest.fixture
def desk():
    """A server."""
    return Desk()


def runner_of(**settings):
    """A runner that gives commands no time to end, and never ends this process."""
    settings = {"cancel_seconds": 30, "kill_seconds": 30} | settings
    return Runner(RunnerSettings(**settings), kills=False)


def python(text):
    """A command that runs a program."""
    return [PYTHON, "-c", text]


def test_a_command_that_succeeds_finishes_its_unit(desk):
    unit = desk.unit(command=["sh", "-c", "echo out; echo err >&2"], data={"n": 1})
    assert runner_of().run(unit).outcome == "finished"
    assert desk.updates[-1]["data"] == {"n": 1, "exit_code": 0, "log": "out\nerr\n"}


def test_a_command_reads_the_data_as_json(desk):
    given = {"n": 1, "raw": b"\x00\xff", "pair": (1, 2), "text": "ä"}
    unit = desk.unit(command=["cat"], data=given, output="stdout")
    assert runner_of().run(unit).outcome == "finished"
    assert unit.data["output"] == {"n": 1, "raw": "AP8=", "pair": [1, 2], "text": "ä"}


def test_names_that_are_no_text_become_text():
    assert as_json({7: 1, b"\xff": None}) == b'{"7": 1, "/w==": null}'


def test_no_shell_reads_the_arguments(desk):
    unit = desk.unit(command=["echo", "$HOME; false", "*"])
    assert runner_of().run(unit).outcome == "finished"
    assert unit.data["log"] == "$HOME; false *\n"


def test_a_command_that_reads_nothing_does_not_keep_anybody_waiting(desk):
    unit = desk.unit(command=["true"], data={"large": "x" * 2**20})
    assert runner_of().run(unit).outcome == "finished"


def test_a_command_finds_its_names_in_the_environment(desk):
    unit = desk.unit(command=["true"])
    found = command_environment(unit)
    assert {name: found[name] for name in found if name.startswith("COORDINATE_W")} == {
        "COORDINATE_WORK_SPEC": "s",
        "COORDINATE_WORK_UNIT": "k",
    }
    assert found["COORDINATE_ATTEMPT"] == "7"
    assert found["COORDINATE_ADDRESS"] == "one:1"
    assert "COORDINATE_NAMESPACE" not in found
    assert found["PATH"] == os.environ["PATH"]


def test_another_exit_status_fails_the_unit_with_the_end_of_its_output(desk):
    ran = runner_of().run(desk.unit(command=["sh", "-c", "echo bad; exit 3"]))
    assert (ran.outcome, ran.reason) == ("failed", "command exited with 3")
    data = desk.updates[-1]["data"]
    assert (data["exit_code"], data["log"]) == (3, "bad\n")
    assert data["traceback"] == "command exited with 3\nbad\n"


def test_a_command_that_was_killed_fails_the_unit(desk):
    ran = runner_of().run(desk.unit(command=["sh", "-c", "kill -KILL $$"]))
    assert ran.reason == "command was killed by SIGKILL"
    assert desk.updates[-1]["data"]["exit_code"] == -9


@pytest.mark.parametrize(
    "command, reason",
    [
        (["/no/such/program"], "command '/no/such/program' cannot be started: No such file"),
        (["echo", "a\0b"], "command 'echo' cannot be started: embedded null byte"),
        ([], "command [] must be a list of texts, the program first"),
        ("echo", "command 'echo' must be a list of texts, the program first"),
    ],
)
def test_a_command_that_cannot_be_started_fails_the_unit(desk, command, reason):
    ran = runner_of().run(desk.unit(command=command))
    assert ran.outcome == "failed"
    assert ran.reason.startswith(reason)


def test_a_spec_has_a_module_or_a_command(desk):
    ran = runner_of().run(desk.unit(command=["true"], module="m"))
    assert ran.reason == "work spec 's' has a 'module' and a 'command': it must have one"


def test_only_the_end_of_much_output_is_kept(desk):
    unit = desk.unit(command=python("print('x' * 10**6 + 'end')"))
    assert runner_of(command_tail_bytes=10).run(unit).outcome == "finished"
    assert unit.data["log"] == "xxxxxxend\n"


def test_a_tail_keeps_little():
    tail = Tail(4)
    for _ in range(1000):
        tail.add(b"ab\xff")
    assert len(tail._kept) <= 8
    assert str(tail) == "\ufffdab\ufffd"


def test_output_that_is_no_json_fails_the_unit(desk):
    ran = runner_of().run(desk.unit(command=["echo", "{"], output="stdout"))
    assert ran.reason.startswith("command 'echo': the standard output is no JSON")


def test_standard_error_is_no_output(desk):
    unit = desk.unit(command=["sh", "-c", "echo noise >&2; echo 7"], output="stdout")
    assert runner_of().run(unit).outcome == "finished"
    assert unit.data["output"] == 7
    assert set(unit.data["log"].split()) == {"noise", "7"}


def test_what_a_command_leaves_behind_is_ended(desk, tmp_path):
    """It has the pipe of the command still, which nobody waits for."""
    path = tmp_path / "held"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    script = f"exec 3>{path}; sleep 600 & exec 3>&-; echo started"
    unit = desk.unit(command=["sh", "-c", script])
    assert runner_of().run(unit).outcome == "finished"
    assert unit.data["log"] == "started\n"
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""
    os.close(reader)


def run_until(desk, runner, path, unit, act):
    """Run a unit in a thread; when its command has said that it is ready, do something."""
    found: list = []
    os.mkfifo(path)
    thread = threading.Thread(target=lambda: found.append(runner.run(unit)))
    thread.start()
    path.read_text()
    act()
    thread.join(60)
    return found[0]


def test_a_command_is_ended_by_sigterm(desk, tmp_path):
    path = tmp_path / "ready"
    runner = runner_of()
    script = f"trap 'echo cleaned; exit 0' TERM; echo >{path}; while :; do sleep 0.01; done"
    unit = desk.unit(command=["sh", "-c", script])
    ran = run_until(desk, runner, path, unit, lambda: runner.cancel("enough"))
    assert (ran.outcome, ran.reason) == ("cancelled", "enough")
    data = desk.updates[-1]["data"]
    assert data["log"].endswith("cleaned\n")
    assert data["traceback"] == "enough"


def test_a_command_that_goes_on_is_killed_with_its_group(desk, tmp_path):
    path = tmp_path / "ready"
    runner = runner_of(kill_seconds=0.05)
    script = f"trap '' TERM; sleep 600 & echo >{path}; wait; wait"
    unit = desk.unit(command=["sh", "-c", script])
    ran = run_until(desk, runner, path, unit, lambda: runner.cancel("enough"))
    assert ran.outcome == "cancelled"
    assert unit.data["exit_code"] == -9


def test_a_command_that_runs_for_too_long_fails_its_unit(desk):
    ran = runner_of().run(desk.unit(command=["sleep", "600"], max_runtime=0.05))
    assert (ran.outcome, ran.reason) == ("failed", "max_runtime of 0.05 s exceeded")
    assert desk.told == "failed"


def test_commands_leave_no_descriptors_open(desk):
    runner = runner_of()
    runner.run(desk.unit(command=["true"]))
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(20):
        runner.run(desk.unit(command=["true"], output="stdout"))
    # The thread that waited for the last one may be about to close its end.
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
