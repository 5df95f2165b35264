"""The log of what was asked and answered, each line written before what comes after it happens."""

import json
import os

from attrs import define, field

from tests.crash.oracle import Oracle


class Diary:
    """Writes it down; a line is in the system's hands when a method returns.

    Arguments:
        path: of the file, which is made.
    """

    def __init__(self, path):
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def asked(self, client, request):
        """Note that a client is about to call."""
        self._write({"client": client, "asked": request})

    def answered(self, client, result):
        """Note what it was answered; gives the result as it will be read again."""
        line = self._write({"client": client, "answered": result})
        return json.loads(line)["answered"]

    def refused(self, client, message):
        """Note that it was answered with an error."""
        self._write({"client": client, "refused": message})

    def close(self):
        """Write no more."""
        os.close(self._file)

    def _write(self, entry):
        line = json.dumps(entry, default=_plain) + "\n"
        os.write(self._file, line.encode())
        return line


def _plain(value):
    assert isinstance(value, bytes), f"{value!r} is nothing that JSON has"
    return value.hex()


@define
class Known:
    """What is known of one client.

    Attributes:
        oracle: what was acknowledged.
        asked: the call that has no answer, or None: what became of it is unknown.
        answers: how many were acknowledged.
    """

    oracle: Oracle = field(factory=Oracle)
    asked: dict | None = None
    answers: int = 0


def read_diary(text):
    """Give what is known of each client, by its number; a line that is not whole is none."""
    known: dict[int, Known] = {}
    for line in text.splitlines(keepends=True):
        if line.endswith("\n"):
            entry = json.loads(line)
            _take_in(known.setdefault(entry["client"], Known()), entry)
    return known


def _take_in(one, entry):
    if "asked" in entry:
        one.asked = entry["asked"]
    elif "answered" in entry:
        assert one.asked is not None
        one.oracle.apply(one.asked, entry["answered"])
        one.asked = None
        one.answers += 1
    # What was refused stays asked: nobody counts on it, in one way or the other.
