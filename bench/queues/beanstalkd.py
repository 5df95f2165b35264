"""beanstalkd, in memory and with its log synced after each write, over a plain socket."""

from collections.abc import Callable, Sequence
from typing import Final

from queues import free_ports
from queues.texts import connected, ways
from queues.work import Queue, keys

__all__ = ["queues"]

_PROGRAM: Final = "beanstalkd"
_PAYLOAD: Final = b"x" * 51
"""With a key before it, a job has 64 bytes."""


class _Line:
    """One connection, with the words of the protocol."""

    take = b"reserve-with-timeout 0\r\n"

    def __init__(self, place: tuple[str, int]) -> None:
        self._line = connected(place)
        self.send = self._line.sendall
        self._file = self._line.makefile("rb")

    def close(self) -> None:
        self._file.close()
        self._line.close()

    def finish(self, unit: bytes) -> bytes:
        return b"delete %b\r\n" % unit

    def taken(self) -> bytes | None:
        words = self._file.readline().split()
        if words[0] == b"RESERVED":
            self._file.read(int(words[2]) + 2)
            return words[1]
        if words[0] != b"TIMED_OUT":
            raise RuntimeError(f"{_PROGRAM} answered {words!r}")
        return None

    def finished(self) -> None:
        self._expect(b"DELETED")

    def add(self, first: int, count: int) -> None:
        """Put jobs, with one write for all of them."""
        jobs = (b"%b%b" % (key.encode(), _PAYLOAD) for key in keys(first, count))
        self.send(b"".join(b"put 0 0 900 %d\r\n%b\r\n" % (len(job), job) for job in jobs))
        for _ in range(count):
            self._expect(b"INSERTED")

    def _expect(self, word: bytes) -> None:
        answer = self._file.readline()
        if not answer.startswith(word):
            raise RuntimeError(f"{_PROGRAM} answered {answer!r}")


def _memory(_folder: str, port: int) -> list[str]:
    return [_PROGRAM, "-l", "127.0.0.1", "-p", str(port)]


def _durable(folder: str, port: int) -> list[str]:
    return [*_memory(folder, port), "-b", folder, "-f", "0"]


def _queue(durability: str, command: Callable[[str, int], Sequence[str]], expected: int) -> Queue:
    return Queue(
        title=_PROGRAM,
        durability=durability,
        start=lambda: free_ports.server(command, b"stats\r\n", b"OK "),
        prepare=lambda _: None,
        adder=_Line,
        expected=expected,
        ways=ways(_Line, expected),
        missing=free_ports.missing(_PROGRAM),
    )


def queues() -> list[Queue]:
    """It in memory, and with `-b DIR -f 0`."""
    return [
        _queue("nothing", _memory, 30_000),
        _queue("each answer after a sync", _durable, 5_000),
    ]
