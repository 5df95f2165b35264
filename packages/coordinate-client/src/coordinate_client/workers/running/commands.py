"""Units whose work is a command: what it is given, and what is kept of it.

It gets the unit's data as JSON on its standard input, and its names in the environment:
COORDINATE_WORK_SPEC, COORDINATE_WORK_UNIT, COORDINATE_ATTEMPT, COORDINATE_ADDRESS and
COORDINATE_NAMESPACE. Exit status 0 finishes the unit, every other one fails it.
"""

import os
import signal
from contextlib import suppress
from typing import Any

from coordinate_client.exceptions import ProgrammerError
from coordinate_client.workers.running.alarms import Alarms
from coordinate_client.workers.running.documents import as_json, of_json
from coordinate_client.workers.running.failures import PlainFailure
from coordinate_client.workers.running.interruption import Interruption
from coordinate_client.workers.running.plans import Plan
from coordinate_client.workers.running.processes import Process
from coordinate_client.workers.running.results import put
from coordinate_protocol.values import key_bytes

__all__ = ["Tail", "command_environment", "command_result"]

# What a command may print that is to become its unit's output.
_MOST_OUTPUT = 2**24


class Tail:
    """The end of what was said."""

    def __init__(self, most: int) -> None:
        """Begin with nothing.

        Args:
            most: bytes that are kept.
        """
        self._most = most
        self._kept = bytearray()

    def add(self, found: bytes) -> None:
        """Add to it."""
        self._kept += found
        # Moved now and then, not at each line.
        if len(self._kept) > 2 * self._most:
            del self._kept[: -self._most]

    def __str__(self) -> str:
        return self._kept[-self._most :].decode(errors="replace")


class _Output:
    """What becomes the output: all of it, or nothing where it is too much."""

    def __init__(self) -> None:
        self.said = bytearray()
        self.is_whole = True

    def add(self, found: bytes) -> None:
        if self.is_whole and len(self.said) + len(found) <= _MOST_OUTPUT:
            self.said += found
        else:
            self.is_whole = False
            self.said.clear()


def command_result(
    plan: Plan, unit: Any, interruption: Interruption, alarms: Alarms, tail_bytes: int
) -> Any:
    """Run a unit's command to its end; `exit_code` and `log` are put into the unit's data.

    Args:
        plan: says the command.
        unit: whose it is.
        interruption: may end it.
        alarms: has threads.
        tail_bytes: how much of its output is kept.

    Returns:
        What it printed, read as JSON, where that is to be kept.

    Raises:
        PlainFailure: it could not be started, or its exit status is not 0.
        Cancelled: it was to end before it began.
    """
    command = plan.command or ()
    tail, output = Tail(tail_bytes), _Output()

    def said(found: bytes) -> None:
        tail.add(found)
        if plan.keeps:
            output.add(found)

    if interruption.error is not None:
        interruption.reached = True
        raise interruption.error
    process = _started(plan, unit)
    try:
        interruption.attend(process)
        status = process.wait(alarms, said, tail.add)
    finally:
        interruption.end(process)
        process.close()
    put(unit, "exit_code", status)
    put(unit, "log", str(tail))
    if status:
        reason = f"command {_end(status)}"
        raise PlainFailure(reason, f"{reason}\n{tail}")
    return _read(output, command[0]) if plan.keeps else None


def _started(plan: Plan, unit: Any) -> Process:
    command = plan.command or ()
    try:
        environment = command_environment(unit)
        return Process.start(command, environment, as_json(unit.data), apart=plan.keeps)
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or str(error)
        raise PlainFailure(f"command {command[0]!r} cannot be started: {said}") from error


def _read(output: _Output, name: str) -> Any:
    if not output.is_whole:
        raise PlainFailure(f"command {name!r} printed more than {_MOST_OUTPUT} bytes as its output")
    try:
        return of_json(bytes(output.said))
    except ProgrammerError as error:
        raise PlainFailure(f"command {name!r}: {error}") from error


def _end(status: int) -> str:
    if status > 0:
        return f"exited with {status}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-status).name}"
    return f"was killed by signal {-status}"


def command_environment(unit: Any) -> dict[str, str]:
    """The environment of this process, and what a unit's command finds in it besides.

    Args:
        unit: keys that are no text are the bytes that they are.
    """
    settings = unit.taskmaster.settings
    told = {
        "COORDINATE_WORK_SPEC": unit.work_spec_name,
        "COORDINATE_WORK_UNIT": os.fsdecode(key_bytes(unit.key)),
        "COORDINATE_ATTEMPT": None if unit.attempt is None else str(unit.attempt),
        "COORDINATE_ADDRESS": str(settings.addresses[0]),
        "COORDINATE_NAMESPACE": settings.namespace,
    }
    # A worker that is itself run by a command has its own unit there.
    kept = {name: value for name, value in os.environ.items() if name not in told}
    return kept | {name: value for name, value in told.items() if value is not None}
