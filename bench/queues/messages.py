"""Coordinate's messages over a plain blocking socket, with nothing around them."""

import socket
from io import BufferedReader
from typing import Any, Final, Self

import cbor2
from load import WRAPPED_HEADS

from queues.texts import connected

__all__ = ["Messages", "plain", "wrapped"]

_HEAD_BYTES: Final = 3
_SHORT_HEAD: Final = 0x40


def plain(value: Any) -> Any:
    """What a tuple's tag holds; anything else is itself."""
    return value.value if isinstance(value, cbor2.CBORTag) else value


def wrapped(message: Any) -> bytes:
    """The bytes of one message."""
    return cbor2.dumps(cbor2.CBORTag(24, cbor2.dumps(message)))


class Messages:
    """One connection.

    Arguments:
        place: where to connect to.
    """

    def __init__(self, place: tuple[str, int]) -> None:
        self._line: socket.socket = connected(place)
        self._file: BufferedReader = self._line.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: str, *params: Any) -> Any:
        """Make one call; gives its result, of which tuples are tags."""
        return self.ask(wrapped({"id": 1, "method": method, "params": params}))["result"]

    def batch(self, calls: list[tuple[str, tuple[Any, ...]]]) -> list[Any]:
        """Make many calls as a list of requests in one message; gives their results."""
        requests = [
            {"id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls)
        ]
        return [answer["result"] for answer in self.ask(wrapped(requests))]

    def ask(self, message: bytes) -> Any:
        """Send a message and give what its answer holds.

        Raises:
            RuntimeError: the server answered with a failure, or closed the connection.
        """
        self._line.sendall(message)
        answer = cbor2.loads(self._read())
        if isinstance(answer, dict) and "error" in answer:
            raise RuntimeError(f"the server answered {answer['error']!r}")
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._line.close()

    def _read(self) -> bytes:
        head = self._file.read(_HEAD_BYTES)
        if len(head) < _HEAD_BYTES:
            raise RuntimeError("the server closed the connection")
        more = WRAPPED_HEADS.get(head[2])
        size = int.from_bytes(self._file.read(more), "big") if more else head[2] - _SHORT_HEAD
        return self._file.read(size)
