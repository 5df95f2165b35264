"""Redis lists, RPOPLPUSH and LREM, without a log and with one that is synced before each answer."""

from collections.abc import Sequence
from typing import Final

from queues import free_ports
from queues.texts import connected, ways
from queues.work import Queue, keys

__all__ = ["queues"]

_PROGRAM: Final = "redis-server"
_PAYLOAD: Final = b"x" * 51
_WAITING: Final = b"waiting"
_TAKEN: Final = b"taken"


def _words(*words: bytes) -> bytes:
    """One command in the protocol's own form, which the server need not search for ends."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


# The oldest of those that are taken is at the list's end, where a negative count begins.
_LREM: Final = _words(b"LREM", _TAKEN, b"-1", b"").replace(b"$0\r\n\r\n", b"")


class _Line:
    """One connection, with the words of the protocol."""

    take = _words(b"RPOPLPUSH", _WAITING, _TAKEN)

    def __init__(self, place: tuple[str, int]) -> None:
        self._line = connected(place)
        self.send = self._line.sendall
        self._file = self._line.makefile("rb")

    def close(self) -> None:
        self._file.close()
        self._line.close()

    def finish(self, unit: bytes) -> bytes:
        return b"%b$%d\r\n%b\r\n" % (_LREM, len(unit), unit)

    def taken(self) -> bytes | None:
        head = self._file.readline()
        if head == b"$-1\r\n":
            return None
        if head[:1] != b"$":
            raise RuntimeError(f"{_PROGRAM} answered {head!r}")
        size = int(head[1:])
        return self._file.read(size + 2)[:size]

    def finished(self) -> None:
        answer = self._file.readline()
        if answer != b":1\r\n":
            raise RuntimeError(f"{_PROGRAM} answered {answer!r}")

    def add(self, first: int, count: int) -> None:
        """Push them all with one command."""
        units = [b"%b%b" % (key.encode(), _PAYLOAD) for key in keys(first, count)]
        self.send(_words(b"LPUSH", _WAITING, *units))
        answer = self._file.readline()
        if answer[:1] != b":":
            raise RuntimeError(f"{_PROGRAM} answered {answer!r}")


def _queue(durability: str, options: Sequence[str], expected: int) -> Queue:
    def command(folder: str, port: int) -> list[str]:
        where = ["--bind", "127.0.0.1", "--dir", folder, "--port", str(port)]
        return [_PROGRAM, *where, "--save", "", *options]

    return Queue(
        title="Redis lists",
        durability=durability,
        start=lambda: free_ports.server(command, b"PING\r\n", b"+PONG\r\n"),
        prepare=lambda _: None,
        adder=_Line,
        expected=expected * 4,
        ways=ways(_Line, expected),
        missing=free_ports.missing(_PROGRAM),
    )


_ALWAYS: Final = ("--appendonly", "yes", "--appendfsync", "always")


def queues() -> list[Queue]:
    """It in memory, and with `appendfsync always`."""
    return [
        _queue("nothing", (), 30_000),
        _queue("each answer after a sync", _ALWAYS, 10_000),
    ]
