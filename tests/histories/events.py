"""What is recorded of a history: each call, when it went out, when its answer came, and which."""

import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import define, field

NEVER = float("inf")
"""When a call ended whose end nobody saw."""


@define(eq=False)
class Call:
    """One call of one process.

    Arguments:
        process: who called.
        number: the how-manieth call of that process.
        kind: what was asked for.
        args: with which arguments.
        invoked: when it went out: seconds of CLOCK_MONOTONIC, which all processes share.
        completed: when its answer was there; NEVER if none came.
        result: the answer; None while there is none.
        repeats: for each time that it was sent in vain None, or the answer that the client threw
            away and asked for again; the last one too, if one was thrown away.
    """

    process: str
    number: int
    kind: str
    args: dict[str, Any]
    invoked: float
    completed: float = NEVER
    result: Any = None
    repeats: list[Any] = field(factory=list)

    @property
    def known(self) -> bool:
        """Whether its outcome is known."""
        return self.completed < NEVER

    def __str__(self) -> str:
        end = f"{self.completed:.4f}" if self.known else "never"
        text = f"{self.process}#{self.number} {self.kind} {json.dumps(self.args)}"
        return f"{text} [{self.invoked:.4f}, {end}] -> {json.dumps(self.result)}"


class Recorder:
    """Appends a process's calls to its own file; a SIGKILL loses no line that was begun earlier.

    Arguments:
        path: the file.
        process: the name of this process, unlike any other's.
        clock: gives the time.
    """

    def __init__(self, path, process, clock=time.monotonic):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._process, self._clock = process, clock
        self._number = 0

    def begin(self, kind, args):
        """Note a call before it goes out, and give its number."""
        self._number += 1
        called = {"process": self._process, "kind": kind, "args": args, "at": self._clock()}
        self._write({"number": self._number, **called})
        return self._number

    def end(self, number, result):
        """Note the answer to a call."""
        at = self._clock()
        self._write({"number": number, "at": at, "result": result})

    def repeat(self, number, answer=None):
        """Note that a call was sent in vain, or an answer to compare with another one."""
        self._write({"number": number, "repeat": answer})

    def close(self):
        os.close(self._file)

    def _write(self, value):
        """One write for one line: there is nothing to flush."""
        os.write(self._file, json.dumps(value).encode() + b"\n")


def read_calls(paths: Iterable[Path]) -> list[Call]:
    """Read the calls of all processes, in the order in which they went out."""
    calls = [call for path in paths for call in _calls_of(path)]
    return sorted(calls, key=lambda call: call.invoked)


def _calls_of(path: Path) -> Iterable[Call]:
    calls: dict[int, Call] = {}
    for line in path.read_bytes().split(b"\n")[:-1]:
        value = json.loads(line)
        number = value["number"]
        if "kind" in value:
            calls[number] = Call(
                value["process"], number, value["kind"], value["args"], value["at"]
            )
        elif "repeat" in value:
            calls[number].repeats.append(value["repeat"])
        else:
            calls[number].completed, calls[number].result = value["at"], value["result"]
    return calls.values()
