"""The command ``lock``: another command, run while locks are held."""

import logging
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click
from attrs import define, field

from coordinate_client import Grant
from coordinate_client.cli.codes import CANNOT_RUN, FAILED, LOST_LOCK, NOT_FOUND, SIGNALLED
from coordinate_client.cli.lock_options import (
    CommandWithCommand,
    WantedLocks,
    command_of,
    lock_options,
)
from coordinate_client.cli.options import pass_session
from coordinate_client.cli.session import Session
from coordinate_client.exceptions import LockRefused, LostLock
from coordinate_client.written_paths import path_text

if TYPE_CHECKING:
    from coordinate_client.signals import Signals

__all__ = ["COMMANDS", "lock"]

KILL_AFTER = 10.0
TOKEN = "COORDINATE_LOCK_TOKEN"
PATH = "COORDINATE_LOCK_PATH"
LOGGER = logging.getLogger("coordinate_client")


@click.command("lock", cls=CommandWithCommand)
@lock_options
@click.option(
    "-E",
    "--conflict-exit-code",
    "refused_code",
    type=click.IntRange(0, 255),
    default=FAILED,
    metavar="N",
    help="Exit with N, not 1, where it could not be locked.",
)
@click.option(
    "--kill-after",
    type=click.FloatRange(min=0),
    default=KILL_AFTER,
    metavar="SECONDS",
    help=f"From SIGTERM to SIGKILL, where the lock is lost ({KILL_AFTER:g}).",
)
@pass_session
@click.pass_context
def lock(
    ctx: click.Context,
    session: Session,
    wanted: WantedLocks,
    refused_code: int,
    kill_after: float,
) -> None:
    """Run COMMAND under locks: flock(1), over the network.

    Each PATH is locked, all of them at once. The locks are renewed as long as COMMAND runs, and
    given back when it has ended. If they are lost before, because somebody took them away, or the
    server could not be reached for the time of --ttl, COMMAND and all that it has started get
    SIGTERM, and after --kill-after SIGKILL. SIGTERM, SIGINT, SIGHUP and others that coordinate gets
    are passed on to them.

    COMMAND finds COORDINATE_LOCK_TOKEN in its environment, a number that grows with each lock, so
    that what it works on can refuse a lower one than it has seen; and COORDINATE_LOCK_PATH, a line
    for each PATH. A path is written as for 'coordinate locks'.

    Exit codes: that of COMMAND, 128 + N where signal N has ended it; 1 (or -E) it could not be
    locked; 3 no server reached; 64 wrong usage; 75 the lock was lost; 126 COMMAND cannot be run;
    127 there is no COMMAND.
    """
    command = command_of(ctx)
    if shutil.which(command[0]) is None:
        # Told before anybody waits for a lock.
        there = os.sep in command[0] and Path(command[0]).exists()
        ctx.exit(_not_run(command, PermissionError() if there else FileNotFoundError()))
    try:
        ctx.exit(_locked(session, wanted, command, kill_after))
    except LockRefused as error:
        _tell(f"not locked: {error}")
        ctx.exit(refused_code)


def _locked(
    session: Session, wanted: WantedLocks, command: Sequence[str], kill_after: float
) -> int:
    """Lock, run, unlock; gives the exit code.

    Raises:
        LockRefused: it could not be locked; nothing was run.
    """
    # Not before they are used: there are systems without these signals.
    from coordinate_client.cli.child import CHILD_SIGNALS, PASSED_ON
    from coordinate_client.signals import Signals

    locks = session.locks(wanted.locker)
    run = Run(wanted, command, kill_after)
    # What comes while the locks are given back has nobody to go to any more, and does no harm.
    with closing(Signals(PASSED_ON, CHILD_SIGNALS)) as signals, _warnings() as warnings:
        hold = locks.hold(
            list(wanted.paths),
            wanted.ttl,
            wanted.wait,
            wanted.mode,
            on_lost=lambda _grant: signals.tell(),
        )
        try:
            with hold as grant:
                signals.start()
                run.run(grant, signals)
        except LostLock as error:
            return run.lost(error)
    for warning in warnings:
        _tell(warning)
    if run.code == -signal.SIGINT:
        # To exit would tell the script around it that the interrupt was dealt with, and it would
        # go on.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.raise_signal(signal.SIGINT)
    return _as_exit_code(run.code)


def _as_exit_code(code: int) -> int:
    """The code that a shell has for what has become of a command."""
    return code if code >= 0 else SIGNALLED - code


@define
class Run:
    """A command that runs while locks are held.

    Arguments:
        wanted: the locks.
        command: the command with its arguments.
        kill_after: seconds from SIGTERM to SIGKILL.
        code: its exit code, once it has ended.
    """

    wanted: WantedLocks
    command: Sequence[str]
    kill_after: float
    code: int = field(default=FAILED, init=False)
    _grant: Grant | None = field(default=None, init=False)
    _told: bool = field(default=False, init=False)

    def run(self, grant: Grant, signals: "Signals") -> None:
        """Run it; it is ended when the grant is lost."""
        from coordinate_client.cli.child import Child

        self._grant = grant
        try:
            child = Child.start(self.command, self._environment(grant), signals, self.kill_after)
        except OSError as error:
            self.code = _not_run(self.command, error)
            return
        self.code = child.wait(self)

    def _environment(self, grant: Grant) -> dict[str, str]:
        found = {name: value for name, value in os.environ.items() if name != TOKEN}
        if grant.token is not None:
            found[TOKEN] = str(grant.token)
        return found | {PATH: "\n".join(path_text(path) for path in grant.paths)}

    @property
    def left(self) -> float:
        """Seconds for which the locks are held still; 0 or less when they are lost."""
        return 0.0 if self._grant is None or self._grant.lost else self._grant.left

    def over(self) -> None:
        """Say that the command is being ended, because the locks are lost."""
        why = "" if self._grant is None else f": {self._grant.reason}"
        self._told = True
        _tell(f"lost the lock of {self.wanted.shown}, ending {self.command[0]!r}{why}")

    def lost(self, error: LostLock) -> int:
        """Say that the locks are lost, if that was not said; gives the exit code."""
        if not self._told:
            done = f"; the command had ended with {_as_exit_code(self.code)} then"
            after = "" if self._grant is None else done
            _tell(f"{error}{after}")
        return LOST_LOCK


class _Warnings(logging.Handler):
    """Keeps what the client says to people who look at logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self.messages.append(record.getMessage())


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """Keep warnings off the terminal, where the command writes."""
    handler = _Warnings()
    LOGGER.addHandler(handler)
    try:
        yield handler.messages
    finally:
        LOGGER.removeHandler(handler)


def _not_run(command: Sequence[str], error: OSError) -> int:
    found = not isinstance(error, FileNotFoundError)
    why = error.strerror or ("it is not executable" if found else "there is no such command")
    _tell(f"cannot run {command[0]!r}: {why}")
    return CANNOT_RUN if found else NOT_FOUND


def _tell(message: str) -> None:
    click.echo(f"coordinate: {' '.join(message.split())}", err=True)


COMMANDS = (lock,)
