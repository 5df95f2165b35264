"""Bytes in any pieces to frames: where each message begins and ends.

A message is wrapped (tag 24 around a byte string that holds it) or bare. Sizes and depths are
checked as soon as they are known, before memory is spent on what they announce.
"""

from collections.abc import Iterator
from typing import Final

from attrs import define

from coordinate_protocol.errors import DecodeError, LimitError, shown
from coordinate_protocol.heads import BYTES, head
from coordinate_protocol.limits import DEFAULT_LIMITS, Limits
from coordinate_protocol.scanner import Scanner

__all__ = ["Frame", "Framer", "sole_payload", "wrap"]

_WRAPPED: Final = b"\xd8\x18"
_TAG: Final = _WRAPPED[0]
_STRING: Final = 0x40
# The heads of a byte string: how many bytes of length follow; short ones hold it themselves.
_LENGTH_SIZES: Final = {
    **dict.fromkeys(range(_STRING, 0x58), 0),
    0x58: 1,
    0x59: 2,
    0x5A: 4,
    0x5B: 8,
}
# What a wrapped message begins with, up to the kind of its length: bytes up to the payload.
_WRAPPER_SIZES: Final = {
    _WRAPPED + bytes((kind,)): 3 + width for kind, width in _LENGTH_SIZES.items()
}
# Arrays and maps with a length given, which bare messages begin with.
_BARE_HEADS: Final = frozenset((*range(0x80, 0x9C), *range(0xA0, 0xBC)))
_INDEFINITE_HEADS: Final = frozenset((0x9F, 0xBF))


@define
class Frame:
    """One message's bytes.

    Args:
        payload: the encoded message, without a wrapper.
        wrapped: whether it came in one.
    """

    payload: bytes
    wrapped: bool


def wrap(payload: bytes) -> bytes:
    """The message in its wrapper: tag 24 around a byte string.

    Args:
        payload: the encoded message.
    """
    return _WRAPPED + head(BYTES, len(payload)) + payload


def sole_payload(data: bytes, limits: Limits) -> bytes | None:
    """What is in bytes that are one wrapped message, whole and alone, as most that come are.

    Args:
        data: bytes that came, where nothing is left of those before them.
        limits: `message_bytes` holds here.

    Returns:
        The encoded message; None for other bytes, which a `Framer` understands.
    """
    begin = _WRAPPER_SIZES.get(data[:3])
    if begin is None:
        return None
    size = int.from_bytes(data[3:begin], "big") if begin > 3 else data[2] - _STRING  # noqa: PLR2004 - as above
    return data[begin:] if begin + size == len(data) and size <= limits.message_bytes else None


class Framer:
    """Collects bytes and gives the messages that are complete.

    Feed it, then go through `frames()` to its end; once it raised, it is of no more use.
    """

    __slots__ = ("_buffer", "_limits", "_scanner", "_start")

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Start with nothing.

        Args:
            limits: `message_bytes` and `nesting` hold here.
        """
        self._limits = limits
        self._buffer: bytes | bytearray = b""
        self._start = 0
        self._scanner: Scanner | None = None

    def feed(self, data: bytes) -> None:
        """Take what came.

        Args:
            data: the next bytes of the stream, in whatever pieces they come.
        """
        if not self.buffered:
            self._buffer, self._start = data, 0
            return
        if isinstance(self._buffer, bytes):
            self._buffer, self._start = bytearray(self._buffer[self._start :]), 0
        self._buffer += data

    @property
    def buffered(self) -> int:
        """Bytes of a message that is not complete yet; above 0, one has begun."""
        return len(self._buffer) - self._start

    def frames(self) -> Iterator[Frame]:
        """The messages that are complete, in order; what is left waits for more bytes.

        Raises:
            DecodeError: for bytes that begin no message, after the messages before them.
            LimitError: for a message that is going to be too large, or is too deep.
        """
        while self._start < len(self._buffer):
            frame = self._next_frame()
            if frame is None:
                self._drop_consumed()
                return
            yield frame
        self._buffer, self._start = b"", 0

    def eof(self) -> None:
        """Say that no more bytes will come.

        Raises:
            DecodeError: where they end within a message.
        """
        if self.buffered:
            raise DecodeError(f"the stream ends after {self.buffered} bytes of a message")

    def _drop_consumed(self) -> None:
        if self._start and isinstance(self._buffer, bytearray):
            del self._buffer[: self._start]
            self._start = 0

    def _next_frame(self) -> Frame | None:
        first = self._buffer[self._start]
        if first == _TAG:
            return self._wrapped_frame()
        if first not in _BARE_HEADS:
            raise self._no_message(first)
        return self._bare_frame()

    def _no_message(self, first: int) -> DecodeError:
        if first in _INDEFINITE_HEADS:
            return DecodeError("message of indefinite length: lengths must be given")
        begin = shown(bytes(self._buffer[self._start : self._start + 16]))
        return DecodeError(
            f"{begin} begins no message: this port speaks CBOR, and a message is an array, "
            "a map, or one of them in tag 24"
        )

    def _wrapped_frame(self) -> Frame | None:
        begin = bytes(self._buffer[self._start : self._start + 11])
        if not begin.startswith(_WRAPPED):
            if begin == _WRAPPED[:1]:
                return None
            raise self._no_wrapper(begin)
        if len(begin) == len(_WRAPPED):
            return None
        kind = begin[2]
        width = _LENGTH_SIZES.get(kind)
        if width is None:
            raise DecodeError("tag 24 must be around a byte string whose length is given")
        if len(begin) < 3 + width:
            return None
        size = int.from_bytes(begin[3 : 3 + width], "big") if width else kind - _STRING
        return self._payload(3 + width, size)

    def _no_wrapper(self, begin: bytes) -> DecodeError:
        return DecodeError(
            f"{shown(begin)} begins no message: only tag 24, as d8 18, may be around one"
        )

    def _payload(self, head_size: int, size: int) -> Frame | None:
        """The wrapped message, whose size is refused before its bytes have come."""
        limit = self._limits.message_bytes
        if size > limit:
            raise LimitError("message of {} bytes", "message_bytes", limit, size)
        begin = self._start + head_size
        if len(self._buffer) < begin + size:
            return None
        self._start = begin + size
        return Frame(bytes(self._buffer[begin : self._start]), wrapped=True)

    def _bare_frame(self) -> Frame | None:
        if self._scanner is None:
            self._scanner = Scanner(self._limits)
        if not self._scanner.advance(self._buffer, self._start):
            return None
        begin = self._start
        self._start = begin + self._scanner.position
        self._scanner = None
        return Frame(bytes(self._buffer[begin : self._start]), wrapped=False)
