"""`lock`, `locks` and `unlock` as processes of their own, on a real server."""

import json
import os
import signal
import time

import pytest

from coordinate_client import LockClient


class Body:
    """A command that says when it has begun, and ends when it is told to."""

    # What the shell has to say about what becomes of cat is left out.
    text = 'exec 2> noise; echo "$COORDINATE_LOCK_TOKEN" > ready; cat go'

    def __init__(self, directory):
        self.ready, self.go = directory / "ready", directory / "go"
        os.mkfifo(self.ready)
        os.mkfifo(self.go)
        self.writer = None

    def begun(self):
        """Wait until it runs; the token that it has."""
        token = int(self.ready.read_text())
        # This waits until it reads.
        self.writer = os.open(self.go, os.O_WRONLY)
        return token

    def end(self):
        """Have it end, if it runs still."""
        if self.writer is not None:
            os.close(self.writer)
            self.writer = None


@pytest.fixture
def locks(address, request):
    """The same locks, asked for by this process."""
    client = LockClient({"address": address, "namespace": request.node.name}, locker="test")
    yield client
    client.close()


@pytest.fixture
def body(tmp_path):
    """What runs under the lock."""
    body = Body(tmp_path)
    yield body
    body.end()


def until(condition):
    """Ask the server again and again: nobody is told that somebody else begins to wait."""
    while not condition():
        pass


def waiters(locks):
    """How many wait for the lock of /a."""
    return sum(lock["waiters_count"] for lock in locks.list_locks(("a",)))


def test_two_processes_take_turns(start, locks, body):
    """The second one waits until the first has ended, and has a higher token."""
    first = start("lock", "/a", "--", "sh", "-c", body.text)
    token = body.begun()
    second = start("lock", "a", "--", "sh", "-c", body.text)
    until(lambda: waiters(locks) == 1)
    assert [lock["token"] for lock in locks.list_locks()] == [token]
    body.end()
    assert body.begun() > token
    assert first.wait() == 0
    body.end()
    assert second.wait() == 0
    assert list(locks.list_locks()) == []


def test_locks_are_shown_with_those_who_wait(start, coordinate, locks, body):
    """Their path, holder and waiters, for people and for programs."""
    holder = start("lock", "/a/3", "--locker", "holder", "--", "sh", "-c", body.text)
    token = body.begun()
    waiter = start("lock", "/a", "-s", "--locker", "waiter", "--", "true")
    until(lambda: waiters(locks) == 1)
    lock, waiting = coordinate("locks", "--waiting").splitlines()
    assert lock.startswith(f"/a/3  exclusive  holder  token {token}  age ")
    assert lock.endswith("  1 waiting")
    assert waiting.startswith("  waits:  shared  waiter  ")
    (told,) = json.loads(coordinate("locks", "a", "--json"))
    assert (told["path"], told["waiters"][0]["locker_id"]) == (["a", 3], "waiter")
    assert coordinate("locks", "/a/4") == "no locks\n"
    body.end()
    assert (holder.wait(), waiter.wait()) == (0, 0)


def test_who_does_not_wait_is_refused(coordinate, locks):
    """With 1, or what -E says; shared locks are not in each other's way."""
    assert locks.lock(("a",), 60, "shared") is not None
    coordinate("lock", "-n", "/a/3", "--", "true", code=1)
    coordinate("lock", "-w", "0.01", "-E", "9", "/a/3", "--", "true", code=9)
    coordinate("lock", "-n", "-s", "/a/3", "--", "sh", "-c", "exit 7", code=7)


def test_a_command_has_the_standard_streams(coordinate):
    """What goes in and out is its own."""
    assert coordinate("lock", "/a", "--", "tr", "a-z", "A-Z", input="hello\n") == "HELLO\n"


def test_a_lock_that_is_taken_away_ends_the_command(start, coordinate, body):
    """At once, although it would have been held for long; then it is somebody else's."""
    text = f"trap 'echo ended; exit 4' TERM; {body.text}"
    process = start("lock", "/a", "--ttl", "3600", "--", "sh", "-c", text)
    body.begun()
    assert coordinate("unlock", "--force", "-y", "/a").startswith("unlocked /a of ")
    stdout, stderr = process.communicate()
    assert (process.returncode, stdout) == (75, "ended\n")
    assert stderr.startswith("coordinate: lost the lock of /a, ending 'sh': /a is not locked")
    assert len(stderr.splitlines()) == 1
    coordinate("unlock", "--force", "-y", "/a", code=1)


def test_a_lock_outlives_its_process_until_its_time_is_over(start, locks, body):
    """One that was killed cannot give it back, and its command goes on."""
    process = start("lock", "/a", "--ttl", "3", "--", "sh", "-c", body.text)
    body.begun()
    process.kill()
    process.wait()
    assert locks.lock(("a",), 60) is None
    (told,) = locks.list_locks()
    assert locks.lock(("a",), 60, wait=60) is not None
    assert time.time() > told["expires"] - 0.1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1])
def test_signals_are_passed_on(number, start, locks, body):
    """To all that the command has started; what it does then is its own business."""
    text = f"trap 'echo caught; exit 5' {number.name.removeprefix('SIG')}; {body.text}"
    process = start("lock", "/a", "--", "sh", "-c", text)
    body.begun()
    process.send_signal(number)
    stdout, stderr = process.communicate()
    assert (process.returncode, stdout, stderr) == (5, "caught\n", "")
    assert list(locks.list_locks()) == []


@pytest.mark.parametrize("number, code", [(signal.SIGTERM, 143), (signal.SIGINT, -2)])
def test_what_ends_the_command_is_told(number, code, start, body):
    """With 128 and the signal's number; where it is an interrupt, as one."""
    process = start("lock", "/a", "--", "sh", "-c", body.text)
    body.begun()
    process.send_signal(number)
    assert process.wait() == code


def test_an_interrupt_ends_the_wait(start, locks):
    """Quietly, with 130; nothing is locked for one that is gone."""
    grant = locks.lock(("a",), 60)
    process = start("lock", "/a", "--", "true")
    until(lambda: waiters(locks) == 1)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert (process.returncode, stdout, stderr.strip()) == (130, "", "")
    until(lambda: waiters(locks) == 0)
    assert locks.unlock(grant)
    assert list(locks.list_locks()) == []


def test_a_server_that_is_gone_ends_the_command_in_time(start, server, body):
    """Not at once: it may come back until the lock has ended by the clock of this machine."""
    process, address = server
    text = f"trap 'echo ended; exit 4' TERM; {body.text}"
    arguments = ["--ttl", "1", "/a", "--", "sh", "-c", text]
    holder = start("--address", address, "lock", *arguments)
    body.begun()
    process.kill()
    stdout, stderr = holder.communicate()
    assert (holder.returncode, stdout) == (75, "ended\n")
    assert "ending 'sh': they were not renewed in time" in stderr


def test_watching_shows_what_changes(start, coordinate):
    """A line for each change, at once; an interrupt is its end."""
    process = start("summary", "--watch", "--json")
    assert sorted(json.loads(process.stdout.readline())) == ["_NOW"]
    coordinate("rpc", "set_work_spec", "{name: alpha, min_gb: 1}")
    assert json.loads(process.stdout.readline())["alpha"]["num_tasks"] == 0
    coordinate("addwork", "-W", "alpha", "-u", "-", input='{"u1": {}}\n')
    assert json.loads(process.stdout.readline())["alpha"]["num_available"] == 1
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate()
    assert (process.returncode, stdout, stderr) == (130, "", "")


def test_watching_locks_shows_who_has_them(start, locks):
    """Each time that somebody gets one, or loses it."""
    process = start("locks", "/a", "--watch", "--json")
    assert json.loads(process.stdout.readline()) == []
    grant = locks.lock(("a", 3), 60)
    assert [lock["locker_id"] for lock in json.loads(process.stdout.readline())] == ["test"]
    locks.unlock(grant)
    assert json.loads(process.stdout.readline()) == []


def test_a_unit_that_needs_locks_is_shown_with_them(coordinate, tmp_path, locks):
    """In the flow, in work_unit, in explain, and among the locks while it is worked on."""
    (tmp_path / "flow.yaml").write_text(
        "flows: {alpha: {min_gb: 0}}\n"
        "units: {alpha: {u1: {locks: [/index/3, {path: [log], mode: shared}]}}}\n"
    )
    coordinate("flow", "flow.yaml")
    shown = coordinate("work_unit", "-W", "alpha", "u1")
    assert "  Lock: /index/3 (exclusive)\n  Lock: /log (shared)\n" in shown
    grant = locks.lock(("index",), 60)
    explained = coordinate("explain", "alpha", "u1").splitlines()
    assert len(explained) == 1
    assert "/index is locked by 'test'" in explained[0]
    locks.unlock(grant)
    coordinate("rpc", "get_work", "w1", "{available_gb: 1, lease_time: 60}")
    held = coordinate("locks").splitlines()
    assert [line.split("  ")[:3] for line in held] == [
        ["/log", "shared", "'u1' of 'alpha', worker w1"],
        ["/index/3", "exclusive", "'u1' of 'alpha', worker w1"],
    ]
    coordinate("unlock", "--force", "-y", "/index/3", code=1)
