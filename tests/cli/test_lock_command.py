"""The command `lock` on locks without a server: what it asks for, what it runs, how it ends."""

import logging
import os
import signal
from contextlib import contextmanager
from threading import Thread

import pytest

from coordinate_client import Grant
from coordinate_client.exceptions import ConnectionFailed, Deadlock, LockTimeout, LostLock
from tests.cli.fakes import FakeLocks, run


def granting(token=19, left=3600.0, at_the_end=None, on_entry=None):
    """Locks that are granted for so many seconds of a clock that stands still."""
    locks = FakeLocks()

    @contextmanager
    def hold(paths, *_arguments, **_options):
        if on_entry is not None:
            raise on_entry
        yield Grant("me", tuple(paths), token, lambda: 0.0, left)
        if at_the_end is not None:
            raise at_the_end

    locks.held = hold
    return locks


def shell(text, *options, locks=None):
    """Run a line of shell under the lock of /a."""
    locks = granting() if locks is None else locks
    return run("lock", "/a", *options, "--", "sh", "-c", text, locks=locks)


@pytest.mark.parametrize(
    "options, locker, asked",
    [
        ([], None, (30.0, None, "exclusive")),
        (["--shared", "--wait", "5", "--ttl", "2.5"], None, (2.5, 5.0, "shared")),
        (["-s", "-n", "--locker", "me"], "me", (30.0, 0.0, "shared")),
        (["-w", "0"], None, (30.0, 0.0, "exclusive")),
    ],
)
def test_lock_asks_for_what_it_was_told_to(options, locker, asked):
    """All of the paths at once, for ever unless it is told for how long to wait."""
    locks = granting()
    assert run("lock", "/a/3", *options, "b", "--", "true", locks=locks).exit_code == 0
    assert locks.asked == [([("a", 3), ("b",)], *asked)]
    assert (locks.locker, locks.closed) == (locker, True)


@pytest.mark.parametrize("text, code", [("exit 7", 7), ("kill -9 $$", 137), ("true", 0)])
def test_the_commands_status_is_its_own(text, code):
    """Also of one that a signal has ended, as shells have it."""
    result = shell(text)
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", "")


def test_the_command_is_told_about_its_lock(tmp_path, monkeypatch):
    """The token, and each path as it can be written; nothing of a lock around it."""
    told = tmp_path / "told"
    text = f'echo "$COORDINATE_LOCK_TOKEN|$COORDINATE_LOCK_PATH" > {told}'
    monkeypatch.setenv("COORDINATE_LOCK_TOKEN", "5")
    run("lock", "a/3", '/"3"', "--", "sh", "-c", text, locks=granting())
    assert told.read_text() == '19|/a/3\n/"3"\n'
    shell(text, locks=granting(token=None))
    assert told.read_text() == "|/a\n"


def test_what_is_behind_the_dashes_is_the_commands(tmp_path):
    """Options, further dashes, and help."""
    told = tmp_path / "told"
    text = f'printf "%s " "$@" > {told}'
    result = run("lock", "a", "--", "sh", "-c", text, "sh", "-n", "--", "--help", locks=granting())
    assert result.exit_code == 0
    assert told.read_text() == "-n -- --help "


@pytest.mark.parametrize(
    "error, said",
    [
        (LockTimeout("/a is locked by 'x'", "x", ("a",)), "not locked: /a is locked by 'x'"),
        (Deadlock("deadlock: 'x' waits for itself"), "not locked: deadlock: 'x' waits for itself"),
    ],
)
def test_a_lock_that_is_refused_is_code_1(error, said):
    """As flock has it, or what -E says; nothing is run."""
    for options, code in (["-n"], 1), (["-n", "-E", "9"], 9):
        result = shell("exit 3", *options, locks=granting(on_entry=error))
        assert (result.exit_code, result.stdout) == (code, "")
        assert result.stderr == f"coordinate: {said}\n"


def test_no_server_is_code_3():
    """Not that of a refused lock."""
    error = ConnectionFailed("lock", ["here:1"], "refused")
    result = shell("exit 3", "-E", "9", locks=granting(on_entry=error))
    assert result.exit_code == 3
    assert result.stderr.startswith("coordinate: lock: no server at here:1")


def test_a_lock_that_ended_before_it_was_heard_of_is_lost():
    """Nothing was run; it may be tried again."""
    result = shell("exit 3", locks=granting(on_entry=LostLock("it ended before it was heard of")))
    assert result.exit_code == 75
    assert result.stderr == "coordinate: it ended before it was heard of\n"


def test_a_command_that_cannot_be_run_is_told_before_it_is_waited_for(tmp_path):
    """127 where there is none, 126 where it is no program: as shells have it."""
    (tmp_path / "text").write_text("no program")
    locks = granting()
    for command, code, why in [
        ("no-such-command", 127, "there is no such command"),
        (str(tmp_path / "nothing"), 127, "there is no such command"),
        (str(tmp_path / "text"), 126, "it is not executable"),
    ]:
        result = run("lock", "/a", "--", command, locks=locks)
        assert result.exit_code == code
        assert result.stderr == f"coordinate: cannot run {command!r}: {why}\n"
    assert locks.asked == []


def test_a_command_that_fails_to_start_gives_the_lock_back(tmp_path):
    """What only the system can tell: here, a program without an interpreter."""
    program = tmp_path / "program"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    result = run("lock", "/a", "--", str(program), locks=granting())
    assert result.exit_code == 127
    assert result.stderr.startswith(f"coordinate: cannot run {str(program)!r}: No such file")


@pytest.mark.parametrize(
    "arguments",
    [
        ["/a"],
        ["/a", "--"],
        ["--", "true"],
        ["/a", "true"],
        ["/a", "-n", "-w", "3", "--", "true"],
        ["/a", "--ttl", "0", "--", "true"],
        ["/a", "--kill-after", "-1", "--", "true"],
        ["/a", "-E", "256", "--", "true"],
    ],
)
def test_wrong_usage_of_lock_is_code_64(arguments):
    """A path and a command are needed, and the dashes between them."""
    locks = granting()
    result = run("lock", *arguments, locks=locks)
    assert (result.exit_code, result.stdout, locks.asked) == (64, "", [])


@pytest.fixture
def losing(tmp_path):
    """Locks that are lost as soon as the command writes into the fifo `ready`."""
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    locks = FakeLocks()

    @contextmanager
    def hold(paths, *_arguments, on_lost):
        grant = Grant("me", tuple(paths), 19, lambda: 0.0, 3600.0)

        def lose():
            ready.read_text()
            grant.lose("it was forced")
            on_lost(grant)

        thread = Thread(target=lose)
        thread.start()
        yield grant
        thread.join()
        raise LostLock("lost")

    locks.held = hold
    return locks


def test_a_lost_lock_ends_the_command(losing, tmp_path):
    """With SIGTERM, to what it has started as well; it may tidy up, its status counts no more."""
    told, ready = tmp_path / "told", tmp_path / "ready"
    text = f"trap 'echo ended > {told}; exit 4' TERM; sleep 600 & echo > {ready}; wait; wait"
    result = shell(text, locks=losing)
    assert result.exit_code == 75
    assert result.stderr == "coordinate: lost the lock of /a, ending 'sh': it was forced\n"
    assert told.read_text() == "ended\n"


def test_a_command_that_stands_still_is_ended_as_well(losing, tmp_path):
    """It would not hear SIGTERM."""
    result = shell(f"(kill -STOP $$; echo > {tmp_path / 'ready'}) & sleep 600", locks=losing)
    assert result.exit_code == 75


def test_a_command_that_does_not_end_is_killed(losing, tmp_path):
    """At the latest --kill-after seconds later."""
    text = f"trap '' TERM; echo > {tmp_path / 'ready'}; sleep 600"
    assert shell(text, "--kill-after", "0", locks=losing).exit_code == 75


def test_what_a_command_leaves_behind_is_killed_too(losing, tmp_path):
    """The command itself goes when it is told to; what it has started does not."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Whoever has the pipe open for writing keeps the test from reading its end.
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    inner = f"trap '' TERM; exec 3> {pipe}; echo > {tmp_path / 'ready'}; sleep 600"
    text = f'sh -c "{inner}" & exec sleep 600'
    assert shell(text, "--kill-after", "0.2", locks=losing).exit_code == 75
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""
    os.close(reader)


def test_a_lock_that_was_not_renewed_in_time_is_lost():
    """Whether or not anybody has said so: the clock does."""
    locks = granting(left=0.0, at_the_end=LostLock("lost"))
    result = shell("sleep 600", locks=locks)
    assert result.exit_code == 75
    assert result.stderr == (
        "coordinate: lost the lock of /a, ending 'sh': they were not renewed in time\n"
    )


def test_a_lock_that_turns_out_to_be_lost_at_the_end_is_told():
    """The command may have done harm: its own status is not enough."""
    result = shell("exit 4", locks=granting(at_the_end=LostLock("locks were lost: forced")))
    assert result.exit_code == 75
    assert result.stderr == (
        "coordinate: locks were lost: forced; the command had ended with 4 then\n"
    )


def test_what_the_client_logs_is_told_when_the_command_has_ended():
    """Not in between: the terminal is the command's."""
    locks = granting()
    plain = locks.held

    @contextmanager
    def hold(*arguments, **options):
        with plain(*arguments, **options) as grant:
            yield grant
        logging.getLogger("coordinate_client").warning("locks end by themselves")

    locks.held = hold
    result = shell("exit 4", locks=locks)
    assert (result.exit_code, result.stderr) == (4, "coordinate: locks end by themselves\n")


def test_signals_are_as_before_when_the_command_has_ended():
    """For whatever this process does next."""
    before = {number: signal.getsignal(number) for number in signal.valid_signals()}
    shell("true")
    assert {number: signal.getsignal(number) for number in signal.valid_signals()} == before
    assert signal.set_wakeup_fd(-1) == -1


def test_a_command_has_the_signals_of_any_other_process():
    """Python ignores SIGPIPE; what it starts must not."""
    assert shell("kill -PIPE $$").exit_code == 128 + signal.SIGPIPE
