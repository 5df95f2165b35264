"""Ending the code of units before its time: who may ask, what it notices, what becomes of it."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from coordinate_client import Cancelled, LeaseLost
from coordinate_client.workers.running import Runner, RunnerSettings
from coordinate_client.workers.running.alarms import Alarms
from coordinate_client.workers.running.interruption import Interruption, Patience
from coordinate_client.workers.running.strikes import BySignal, InThread
from tests.workers.running import code
from tests.workers.running.desk import Desk, FakeAlarms


@pytest.fixture
def desk():
    """A server."""
    return Desk()


@pytest.fixture
def hooks(monkeypatch):
    """What functions do meanwhile; noted in a list, too."""
    found: dict = {}
    monkeypatch.setattr(code, "HOOKS", found)
    return found


@pytest.fixture
def cleaned(hooks):
    """Whether code has cleaned up: what it did is in the list."""
    found: list = []
    hooks["cleaned"] = lambda: found.append("cleaned")
    return found


def runner_of(**settings):
    """A runner that tells again soon, and never ends this process."""
    settings = {"cancel_seconds": 30, "kill_seconds": 30} | settings
    return Runner(RunnerSettings(**settings), kills=False)


def from_a_thread(act):
    """Have something done by another thread, once the code has begun."""
    return lambda *_: threading.Thread(target=act, daemon=True).start()


def test_code_that_waits_in_the_main_thread_is_cancelled_by_another(desk, hooks, cleaned):
    runner = runner_of()
    hooks["began"] = from_a_thread(lambda: runner.cancel("not wanted"))
    ran = runner.run(desk.unit("waits", data={"n": 1}))
    assert (ran.outcome, ran.reason) == ("cancelled", "not wanted")
    assert desk.updates[-1]["data"] == {"n": 1, "traceback": "not wanted"}
    assert cleaned == ["cleaned"]


def test_code_that_spins_is_cancelled(desk, hooks):
    runner = runner_of()
    hooks["began"] = from_a_thread(lambda: runner.cancel("not wanted"))
    assert runner.run(desk.unit("spins")).outcome == "cancelled"


def test_a_signal_handler_may_cancel(desk, hooks, cleaned):
    runner = runner_of()
    before = signal.signal(signal.SIGUSR1, lambda *_: runner.cancel("not wanted"))
    hooks["began"] = lambda unit: os.kill(os.getpid(), signal.SIGUSR1)
    try:
        assert runner.run(desk.unit("waits")).outcome == "cancelled"
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert cleaned == ["cleaned"]


def test_code_in_another_thread_is_cancelled_when_it_runs_again(desk, hooks):
    runner = runner_of()
    hooks["began"] = lambda unit: runner.cancel("not wanted")
    with ThreadPoolExecutor(1) as pool:
        ran = pool.submit(runner.run, desk.unit("spins")).result(30)
    assert (ran.outcome, ran.reason) == ("cancelled", "not wanted")


@pytest.mark.parametrize(
    "reason, outcome, told",
    [
        ("stopped", "released", "released"),
        ("job expired", "cancelled", None),
        ("lost", "lost", None),
        ("anything", "cancelled", "failed"),
    ],
)
def test_the_reason_says_what_becomes_of_the_unit(desk, hooks, reason, outcome, told):
    runner = runner_of()
    hooks["began"] = lambda unit: runner.cancel(reason)
    assert runner.run(desk.unit("waits")).outcome == outcome
    assert desk.told == told


def test_data_that_cannot_be_sent_do_not_keep_a_unit_from_being_given_back(desk, hooks):
    runner = runner_of()

    def began(unit):
        unit.data["socket"] = object()
        runner.cancel("stopped")

    hooks["began"] = began
    assert runner.run(desk.unit("waits")).outcome == "released"
    assert desk.told == "released"


@pytest.mark.parametrize("name", ["swallows", "swallows_errors", "later_swallows"])
def test_code_that_swallows_what_it_was_told_is_cancelled_nevertheless(desk, hooks, name):
    runner = runner_of()
    hooks["began"] = from_a_thread(lambda: runner.cancel("not wanted"))
    assert runner.run(desk.unit(name)).outcome == "cancelled"
    assert desk.told == "failed"


def test_code_that_goes_on_is_told_again(desk, hooks):
    runner = runner_of(cancel_seconds=0.1)
    hooks["began"] = lambda unit: runner.cancel("not wanted")
    assert runner.run(desk.unit("swallows_twice")).outcome == "cancelled"


def test_code_that_returned_before_it_was_told_has_finished(desk, hooks):
    alarms: Any = FakeAlarms()
    runner = Runner(RunnerSettings(), alarms=alarms)
    hooks["meanwhile"] = lambda unit: runner.cancel("not wanted")
    assert runner.run(desk.unit("told_meanwhile")).outcome == "finished"
    alarms.move(100)
    assert desk.told == "finished"


def test_nobody_is_cancelled_between_two_units(desk, hooks):
    runner = runner_of()
    runner.cancel("not wanted")
    assert runner.run(desk.unit()).outcome == "finished"
    runner.cancel("not wanted")
    assert runner.run(desk.unit()).outcome == "finished"


def test_only_the_attempt_that_is_meant_is_cancelled(desk, hooks):
    runner = runner_of()

    def began(unit):
        runner.cancel("another", attempt=6)
        runner.cancel("this one", attempt=7)

    hooks["began"] = began
    assert runner.run(desk.unit("waits")).reason == "this one"


def test_the_first_reason_counts(desk, hooks):
    runner = runner_of()

    def began(unit):
        runner.cancel("first")
        runner.cancel("stopped")

    hooks["began"] = began
    assert runner.run(desk.unit("waits")).reason == "first"


def test_a_generator_is_told_at_its_yield(desk, hooks, cleaned):
    runner = Runner(RunnerSettings(), on_progress=lambda unit, value: runner.cancel("enough"))
    assert runner.run(desk.unit("steps_until_told")).outcome == "cancelled"
    assert cleaned == ["cleaned"]


def test_a_generator_is_told_within_a_step(desk, hooks, cleaned):
    runner = runner_of()
    hooks["step"] = lambda unit: (runner.cancel("enough"), threading.Event().wait(600))
    assert runner.run(desk.unit("steps_until_told")).outcome == "cancelled"
    assert cleaned == ["cleaned"]


def test_a_coroutine_is_cancelled_as_asyncio_does_it(desk, hooks, cleaned):
    runner = runner_of()
    hooks["began"] = lambda unit: runner.cancel("not wanted")
    ran = runner.run(desk.unit("later_waits"))
    assert (ran.outcome, ran.reason) == ("cancelled", "not wanted")
    assert cleaned == ["cleaned"]


def test_a_coroutine_that_blocks_its_loop_is_told_by_force(desk, hooks):
    runner = runner_of(cancel_seconds=0.1)

    def blocks(unit):
        runner.cancel("not wanted")
        threading.Event().wait(600)

    hooks["began"] = blocks
    assert runner.run(desk.unit("later_waits")).outcome == "cancelled"


def test_a_unit_runs_after_one_that_was_cancelled(desk, hooks):
    runner = runner_of()
    hooks["began"] = lambda unit: runner.cancel("not wanted")
    for _ in range(20):
        assert runner.run(desk.unit("waits")).outcome == "cancelled"
        assert runner.run(desk.unit()).outcome == "finished"


def test_a_unit_runs_in_a_thread_after_one_that_was_cancelled_there(desk, hooks):
    runner = runner_of()
    hooks["began"] = lambda unit: runner.cancel("not wanted")
    with ThreadPoolExecutor(1) as pool:
        for _ in range(20):
            assert pool.submit(runner.run, desk.unit("spins")).result(30).outcome == "cancelled"
            assert pool.submit(runner.run, desk.unit()).result(30).outcome == "finished"


# ---- the time ----


def test_code_that_runs_for_too_long_fails_its_unit(desk, hooks):
    alarms: Any = FakeAlarms()
    runner = Runner(RunnerSettings(max_runtime=60), alarms=alarms)
    hooks["began"] = lambda unit: alarms.move(30)
    ran = runner.run(desk.unit("notes_kind", max_runtime=30))
    assert (ran.outcome, ran.reason) == ("failed", "max_runtime of 30 s exceeded")
    assert desk.updates[-1]["data"]["told"] == "RunTimeExceeded"
    first, *rest = desk.traceback.splitlines()
    assert first == "max_runtime of 30 s exceeded"
    assert any(line.endswith("in waits") for line in rest)


def test_code_that_ends_in_time_does_not(desk, hooks):
    alarms: Any = FakeAlarms()
    runner = Runner(RunnerSettings(max_runtime=60), alarms=alarms)
    hooks["meanwhile"] = lambda unit: alarms.move(59)
    assert runner.run(desk.unit("told_meanwhile")).outcome == "finished"
    assert not alarms.waiting


def test_the_limit_of_a_spec_goes_before_that_of_the_worker():
    runner = Runner(RunnerSettings(max_runtime=60))
    spec = {"name": "s", "module": "m", "run_function": "f"}
    assert runner.limit(spec) == 60
    assert runner.limit({**spec, "max_runtime": 5}) == 5
    assert runner.limit({**spec, "max_runtime": "long"}) == 60
    assert Runner(RunnerSettings()).limit(spec) is None


# ---- code that does not end ----

STUCK = r"""
import os, sys, threading
from coordinate_client.workers.running import Runner, RunnerSettings
from tests.workers.running.desk import Desk

def stuck(unit):
    unit.data["changed"] = True
    runner.cancel(sys.argv[1])
    while True:
        try:
            threading.Event().wait(600)
        except BaseException:
            os.write(1, b"told\n")

import tests.workers.running.code as code
code.stuck = stuck
desk = Desk()
tell = desk.updated
def updated(params):
    answer = tell(params)
    os.write(1, f"{desk.told} {desk.updates[-1].get('data')}\n".encode())
    return answer
desk.scripted.answers["update_work_units"] = updated
runner = Runner(RunnerSettings(cancel_seconds=0.1, kill_seconds=0.1))
runner.run(desk.unit("stuck", data={"n": 1}))
"""


@pytest.mark.parametrize(
    "reason, said",
    [
        ("enough", "failed {'n': 1, 'traceback': 'enough'}"),
        ("stopped", "released None"),
        ("job expired", None),
    ],
)
def test_a_process_ends_whose_code_does_not(reason, said):
    """After it was told twice, and after the server was told, of the data as they were."""
    command = [sys.executable, "-c", STUCK, reason]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines == ["told", "told", *([] if said is None else [said])], done.stderr


def test_a_process_whose_parent_kills_it_does_not_end_itself(desk, hooks, monkeypatch):
    alarms: Any = FakeAlarms()
    ended: list = []
    monkeypatch.setattr("os._exit", ended.append)
    runner = Runner(RunnerSettings(cancel_seconds=1, kill_seconds=1), alarms=alarms, kills=False)

    def meanwhile(unit):
        runner.cancel("enough")
        for _ in range(5):
            try:
                alarms.move(1)
            except Cancelled:
                ended.append("told")

    hooks["meanwhile"] = meanwhile
    assert runner.run(desk.unit("told_meanwhile")).outcome == "cancelled"
    assert ended == ["told", "told"]


# ---- parts ----


def test_a_signal_that_came_too_early_is_sent_again(monkeypatch):
    """Just before the thread begins to wait, it would not be noticed for as long as that takes."""
    sent: list = []
    monkeypatch.setattr("signal.pthread_kill", lambda thread, number: sent.append(number))
    alarms: Any = FakeAlarms()
    interruption = Interruption(alarms, Patience(60, 60), lambda error: None)
    told = BySignal()

    def waits():
        interruption.ask(Cancelled("enough"))
        alarms.move(0)
        assert len(sent) == 1
        alarms.move(0.05)
        assert len(sent) == 2
        told.signalled()

    with pytest.raises(Cancelled, match="enough"), interruption.telling(told):
        told.call(waits, (), {})
    alarms.move(60)
    assert len(sent) == 2


def test_who_asks_before_the_code_begins_is_heard():
    alarms: Any = FakeAlarms()
    interruption = Interruption(alarms, Patience(1, 1), lambda error: None)
    interruption.ask(Cancelled("early"))
    with pytest.raises(Cancelled, match="early"), interruption.telling(InThread()):
        pytest.fail("it must not begin")
    assert interruption.reached


def test_what_is_raised_in_a_thread_says_what_it_was_told():
    told = InThread()

    def spins():
        told.tell(LeaseLost("gone"))
        while True:
            pass

    with pytest.raises(LeaseLost, match="gone"):
        told.call(spins, (), {})


def test_alarms_ring_in_their_order_and_not_after_they_were_dropped():
    alarms = Alarms()
    rung: list = []
    done = threading.Event()

    def ring():
        rung.append("last")
        done.set()

    last = alarms.after(0.03, ring)
    alarms.after(0.01, lambda: rung.append("first"))
    alarms.drop(alarms.after(0.02, lambda: rung.append("dropped")))
    assert done.wait(30)
    assert rung == ["first", "last"]
    alarms.drop(last)


def test_no_signal_goes_to_the_thread_of_the_alarms():
    """It would take one from the main thread, which then sleeps on, and runs no handler."""
    alarms = Alarms()
    done = threading.Event()
    masks: list = []

    def ring():
        masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        done.set()

    alarms.after(0, ring)
    assert done.wait(30)
    assert masks[0].issuperset({signal.SIGTERM, signal.SIGUSR1, signal.SIGINT})


def test_an_alarm_that_raises_does_not_keep_others_from_ringing(caplog):
    alarms = Alarms()
    done = threading.Event()
    missing: dict = {}
    alarms.after(0, lambda: missing["it"])
    alarms.after(0.01, done.set)
    assert done.wait(30)
    assert "could not be followed" in caplog.text


def test_a_forked_child_has_alarms_of_its_own():
    alarms = Alarms()
    alarms.start()
    pid = os.fork()
    if pid == 0:
        rung = threading.Event()
        alarms.after(0.01, rung.set)
        os._exit(0 if rung.wait(30) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
