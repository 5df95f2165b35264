"""The frames of SQLite's write-ahead log, and which of them are as they were written.

The format is described in https://www.sqlite.org/fileformat2.html#walformat: a header of 32 bytes,
then frames, each a header of 24 bytes and a page. All numbers are big endian. A frame has two
salts, those of the log's header where it is of the log's present round, and two sums over all that
went before it: they follow from the two of the frame before, and from its own bytes.
"""

import sys
from array import array
from collections.abc import Iterator
from struct import Struct
from typing import BinaryIO, Final

from attrs import frozen

__all__ = ["FRAME_HEADER_BYTES", "HEADER_BYTES", "Frame", "LogHeader", "read_frames", "read_header"]

HEADER_BYTES: Final = 32
FRAME_HEADER_BYTES: Final = 24
# What of a frame's header the sums are over: the number of the page, and the size after a commit.
_SUMMED_BYTES: Final = 8
_SECTOR: Final = 512
_PIECE_BYTES: Final = 4 * 2**20

_MAGIC: Final = 0x377F0682  # the last bit says that the sums are over big-endian numbers
_LOG_HEADER: Final = Struct(">8I")
_FRAME_HEADER: Final = Struct(">6I")
_PAGE_SIZES: Final = frozenset(1 << n for n in range(9, 17))
_WORD: Final = 0xFFFFFFFF

Sums = tuple[int, int]


@frozen
class LogHeader:
    """What the log's header says.

    Arguments:
        page: the size of a page, bytes.
        salts: those of the present round.
        sums: what the first frame's sums begin with.
        big_endian: whether the sums are over big-endian numbers.
    """

    page: int
    salts: tuple[int, int]
    sums: Sums
    big_endian: bool


@frozen
class Frame:
    """One frame.

    Arguments:
        is_current: whether it has the salts of the log's present round.
        is_linked: whether its sums follow from those of the frame before it; False unless current.
        is_commit: whether it ends a commit.
        is_whole: whether its salts, and whether it ends a commit, lie in one sector of the disk: so
            they are both there or neither.
        is_bound: the same of its salts and its sums.
    """

    is_current: bool
    is_linked: bool
    is_commit: bool
    is_whole: bool
    is_bound: bool


def read_header(content: bytes) -> LogHeader | None:
    """Read the header of a log; None if it is not as SQLite writes it."""
    magic, _version, page, _round, *salts_and_sums = _LOG_HEADER.unpack(content)
    salt1, salt2, *sums = salts_and_sums
    big_endian = bool(magic & 1)
    if magic | 1 != _MAGIC | 1 or page not in _PAGE_SIZES:
        return None
    first = array("I", content[:FRAME_HEADER_BYTES])
    if big_endian != (sys.byteorder == "big"):
        first.byteswap()
    if _sums((0, 0), first) != tuple(sums):
        return None
    return LogHeader(page, (salt1, salt2), (sums[0], sums[1]), big_endian)


def read_frames(file: BinaryIO, header: LogHeader) -> Iterator[Frame]:
    """Give the whole frames of a log, in pieces of the file that stay small.

    Arguments:
        file: the log, read up to the end of its header.
        header: what that says.
    """
    size = FRAME_HEADER_BYTES + header.page
    before, at = header.sums, HEADER_BYTES
    while piece := file.read(max(1, _PIECE_BYTES // size) * size):
        number = len(piece) // size
        heads = [_FRAME_HEADER.unpack_from(piece, n * size) for n in range(number)]
        current = [head[2:4] == header.salts for head in heads]
        given = [before, *(head[4:] for head in heads)]
        found = _sums_of(piece, number, given[:-1], header) if any(current) else given[:-1]
        for n, head in enumerate(heads):
            place = at + n * size
            yield Frame(
                current[n],
                current[n] and head[0] != 0 and head[4:] == found[n],
                head[1] != 0,
                _is_in_one_sector(place + 4, place + 16),
                _is_in_one_sector(place + 8, place + 24),
            )
        before = given[-1]
        at += len(piece)


def _is_in_one_sector(begin: int, end: int) -> bool:
    return begin // _SECTOR == (end - 1) // _SECTOR


def _sums(sums: Sums, words: "array[int]") -> Sums:
    """Go on with the sums over more words, an even number of them."""
    first, second = sums
    for even, odd in zip(words[::2], words[1::2], strict=True):
        first = (first + even + second) & _WORD
        second = (second + odd + first) & _WORD
    return first, second


def _sums_of(piece: bytes, number: int, begin: list[Sums], header: LogHeader) -> list[Sums]:
    """Work out the sums of so many frames, each from those of the one before it.

    All frames at once: one large number has the same word of each, 64 bits apart, so that nothing
    is carried from one to the next. It is an order of magnitude quicker than one after another.
    """
    words = array("I", piece[: number * (FRAME_HEADER_BYTES + header.page)])
    if header.big_endian != (sys.byteorder == "big"):
        words.byteswap()
    lanes = _Lanes(number)
    first = lanes.number(array("I", [sums[0] for sums in begin]))
    second = lanes.number(array("I", [sums[1] for sums in begin]))
    step = len(words) // number
    summed = [*range(_SUMMED_BYTES // 4), *range(FRAME_HEADER_BYTES // 4, step)]
    for even, odd in zip(summed[::2], summed[1::2], strict=True):
        first = first + lanes.number(words[even::step]) + second & lanes.mask
        second = second + lanes.number(words[odd::step]) + first & lanes.mask
    return list(zip(lanes.words(first), lanes.words(second), strict=True))


class _Lanes:
    """Words side by side in one number."""

    def __init__(self, number: int) -> None:
        self._spread = array("I", bytes(8 * number))
        self._first = 0 if sys.byteorder == "little" else 1
        self.mask = self.number(array("I", b"\xff" * 4 * number))

    def number(self, words: "array[int]") -> int:
        self._spread[self._first :: 2] = words
        return int.from_bytes(self._spread.tobytes(), sys.byteorder)

    def words(self, number: int) -> "array[int]":
        found = array("I", number.to_bytes(8 * (len(self._spread) // 2), sys.byteorder))
        return found[self._first :: 2]
