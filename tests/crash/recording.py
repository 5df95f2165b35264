"""What a writer did to the files of one directory, read out of strace's output."""

import re
from pathlib import Path

from attrs import frozen

SYNCS = ("fdatasync", "fsync")
SIMULATED = ("openat", "pwrite64", "write", "ftruncate", "fallocate", *SYNCS, "unlink", "rename")
"""The calls that a recording understands."""

OTHERS = (
    *("pwritev", "pwritev2", "writev", "truncate", "unlinkat", "renameat", "renameat2", "link"),
    *("linkat", "symlink", "sync_file_range", "copy_file_range", "sendfile", "syncfs"),
)
"""Calls that would be missed: one of them on the files is an error."""

OPTIONS = ["-y", "-xx", "-s", "1000000", "-e", f"trace={','.join(SIMULATED + OTHERS)}"]
"""What strace is told."""

_LINE = re.compile(r"(?:\d+ +)?(?:[\d.]+ )?(\w+)\((.*)\) += (-?\d+|\?)")
_HEX = re.compile(r"\\x([0-9a-f]{2})")
_TEXT = re.compile(r'"([^"]*)"')
_FILE = re.compile(r"<([^>]*)>")


class NotSimulated(AssertionError):
    """A call on the files that a recording does not understand."""


@frozen
class Event:
    """One call.

    Arguments:
        kind: create, write, truncate, allocate, sync, unlink, rename.
        path: of the file.
        at: where it writes, or the new size.
        content: what it writes.
        target: the new name.
    """

    kind: str
    path: str
    at: int = 0
    content: bytes = b""
    target: str = ""


def read_recording(text, home: Path):
    """Give the events on files of a directory, and on itself, in order.

    Args:
        text: strace's output under `OPTIONS`.
        home: the directory.

    Raises:
        NotSimulated: there is a call among them whose effect is not known here.
    """
    return [event for line in text.splitlines() for event in _events(line, str(home))]


def _events(line, home):
    match = _LINE.match(line)
    if match is None or match[3] == "?" or match[3].startswith("-"):
        return []
    call, arguments, result = match.groups()
    texts = [_bytes(text) for text in _TEXT.findall(arguments)]
    paths = [_bytes(text).decode() for text in _FILE.findall(arguments)]
    mine = [path for path in paths if path.startswith(home)]
    named = [text.decode(errors="replace") for text in texts]
    named = [name for name in named if name.startswith(home)]
    if call == "openat":
        return _opened(named, arguments)
    if call in {"unlink", "rename"}:
        return [Event(call, named[0], target=named[-1])] if named else []
    if not mine:
        return []
    return [_on_file(call, mine[0], arguments, texts, int(result))]


def _opened(named, arguments):
    events = []
    if named and "O_CREAT" in arguments:
        events.append(Event("create", named[0]))
    if named and "O_TRUNC" in arguments:
        events.append(Event("truncate", named[0]))
    return events


def _on_file(call, path, arguments, texts, result):
    if call in SYNCS:
        return Event("sync", path)
    if call == "pwrite64":
        return Event("write", path, int(arguments.rpartition(", ")[2]), texts[0][:result])
    if call == "write":
        return Event("append", path, content=texts[0][:result])
    if call == "ftruncate":
        return Event("truncate", path, int(arguments.rpartition(", ")[2]))
    if call == "fallocate" and ", 0, " in arguments:
        begin, size = map(int, arguments.split(", ")[-2:])
        return Event("allocate", path, begin + size)
    raise NotSimulated(f"{call} of {path}")


def _bytes(text):
    return bytes.fromhex("".join(_HEX.findall(text)))
