"""`lock` on a terminal: for people and their shell all is as if the command stood there alone."""

import os
import pty
import signal
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from coordinate_client import LockClient
from coordinate_client.cli.terminal import Terminal

SHELL = Path(__file__).with_name("job_shell.py")
INTERRUPT, SUSPEND, END = b"\x03", b"\x1a", b"\x04"


class Shell:
    """A job shell, and the keyboard and screen of its terminal."""

    def __init__(self, process, keyboard):
        self.process = process
        self.keyboard = keyboard
        self.screen = b""

    def do(self, word):
        """Have the shell do something; gives what it says when that is done."""
        self.process.stdin.write(f"{word}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def wait(self):
        """What has become of the job, once it has stopped or ended."""
        return self.do("wait")

    def type(self, keys):
        """Press keys."""
        os.write(self.keyboard, keys)

    def see(self, text):
        """Wait until something is on the screen, below what was seen before."""
        while text not in self.screen:
            self.screen += os.read(self.keyboard, 4096)
        self.screen = self.screen.partition(text)[2]


@pytest.fixture
def job(command_line, tmp_path):
    """Start `coordinate lock /a -- ...` as the job of a shell on a terminal of its own."""

    @contextmanager
    def job(*command, options=()):
        keyboard, terminal = pty.openpty()
        program = [sys.executable, str(SHELL), os.ttyname(terminal), *command_line]
        with subprocess.Popen(
            [*program, "lock", *options, "/a", "--", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            start_new_session=True,
        ) as process:
            try:
                yield Shell(process, keyboard)
            finally:
                process.kill()
                # The terminal is hung up, as when a window is closed: that is the end of the job.
                os.close(keyboard)
                os.close(terminal)

    return job


def test_a_command_that_reads_the_terminal_is_in_the_foreground(job):
    """What is typed goes to it; at the end of that it ends."""
    with job("cat") as shell:
        shell.do("fg")
        shell.type(b"hello\n")
        shell.see(b"hello\r\n")
        shell.see(b"hello\r\n")
        shell.type(END)
        assert shell.wait() == "ended 0"


@pytest.mark.parametrize(
    "command",
    [["sh", "-c", "echo ready; exec cat"], ["sh", "-c", "echo ready; exec cat fifo"]],
    ids=["lent", "not lent"],
)
def test_a_job_is_stopped_continued_and_interrupted(job, command, tmp_path):
    """Ctrl-Z, fg and Ctrl-C, whether or not the command has read from the terminal."""
    os.mkfifo(tmp_path / "fifo")
    with job(*command) as shell:
        shell.do("fg")
        shell.see(b"ready")
        for _ in range(2):
            shell.type(SUSPEND)
            assert shell.wait() == f"stopped {signal.SIGTSTP:d}"
            shell.do("fg")
        if "fifo" not in command[-1]:
            shell.type(b"again\n")
            shell.see(b"again\r\n")
            shell.see(b"again\r\n")
        shell.type(INTERRUPT)
        assert shell.wait() == f"ended {-signal.SIGINT:d}"


def test_a_job_in_the_background_stops_when_it_reads(job):
    """As any other; in the foreground, it goes on."""
    with job("cat") as shell:
        assert shell.wait() == f"stopped {signal.SIGTTIN:d}"
        shell.do("bg")
        assert shell.wait() == f"stopped {signal.SIGTTIN:d}"
        shell.do("fg")
        shell.type(b"hello\n" + END)
        shell.see(b"hello\r\n")
        assert shell.wait() == "ended 0"


def test_a_job_that_stood_still_too_long_has_lost_its_lock(job, address, request):
    """It goes on only to be ended."""
    namespace = {"address": address, "namespace": request.node.name}
    with job("sh", "-c", "echo ready; exec cat", options=["--ttl", "1"]) as shell:
        shell.do("fg")
        shell.see(b"ready")
        shell.type(SUSPEND)
        assert shell.wait() == f"stopped {signal.SIGTSTP:d}"
        with closing(LockClient(namespace)) as locks:
            assert locks.lock(("a",), 60, wait=60) is not None
        shell.do("fg")
        shell.see(b"lost the lock of /a, ending 'sh'")
        assert shell.wait() == "ended 75"


def test_without_a_terminal_there_is_none(tmp_path):
    """In a session that has none, as a cron job's."""
    program = "from coordinate_client.cli.terminal import Terminal; print(Terminal.open())"
    told = subprocess.run(
        [sys.executable, "-c", program], start_new_session=True, capture_output=True, check=True
    )
    assert told.stdout == b"None\n"


def test_what_is_no_terminal_any_more_is_not_lent(tmp_path):
    """One that was hung up; nothing fails for that."""
    terminal = Terminal(os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT))
    assert not terminal.lend(os.getpid())
    terminal.close()
