"""Finds the end of an item in bytes that come in pieces, and refuses at once what is not allowed.

It builds no values and does not recurse: memory is one number for each level that is open.
"""

from typing import Final

from coordinate_protocol.constants import TUPLE_TAG, UUID_TAG, WRAPPED_TAG
from coordinate_protocol.errors import DecodeError, LimitError
from coordinate_protocol.limits import Limits

__all__ = ["Scanner", "tag_refusal"]

_BYTES: Final = 2
_TEXT: Final = 3
_ARRAY: Final = 4
_MAP: Final = 5
_TAG: Final = 6
_OTHER: Final = 7

# RFC 8949, 3: the low five bits of a head give its argument, or the size of the argument after it.
_SIZES: Final = {24: 1, 25: 2, 26: 4, 27: 8}
_INDEFINITE: Final = 31
# Major type 7: false, true, null, and floats of two, four and eight bytes.
_OTHERS: Final = frozenset({20, 21, 22, 25, 26, 27})

# What may stand under each tag that is allowed, by major type.
_CONTENT: Final = {2: _BYTES, 3: _BYTES, WRAPPED_TAG: _BYTES, UUID_TAG: _BYTES, TUPLE_TAG: _ARRAY}
_CONTENT_NAMES: Final = {_BYTES: "a byte string", _ARRAY: "an array"}


def tag_refusal(tag: int) -> DecodeError:
    """The error for a tag that is not of this protocol, or not where it stands.

    Args:
        tag: its number.
    """
    allowed = "2, 3, 24, 37 and 128"
    if tag == WRAPPED_TAG:
        return DecodeError("tag 24 within an item under tag 24: only one may be around another")
    return DecodeError(f"tag {tag} is not allowed: only tags {allowed} are")


class Scanner:
    """Goes over one item, as far as its bytes have come.

    Attributes:
        position: bytes gone over; a string's end may lie ahead of what has come.
    """

    __slots__ = ("_limits", "_open", "_owed", "_under", "position")

    def __init__(self, limits: Limits) -> None:
        """Start before an item's first byte.

        Args:
            limits: `nesting` and `message_bytes` hold here.
        """
        self.position = 0
        self._limits = limits
        self._open: list[int] = []  # items still to come, for each open array, map and tag
        self._owed = 1  # items still to come in all; each is a byte at least
        self._under: int | None = None  # the tag whose content comes next

    def advance(self, data: bytes | bytearray, start: int = 0) -> bool:
        """Go on as far as the bytes allow.

        Args:
            data: the item's bytes so far, from `start` on; each call is given more of the same.
            start: where in them the item begins.

        Returns:
            Whether the item has ended; `position` is then its size in bytes.

        Raises:
            DecodeError: as soon as something is met that is not allowed.
            LimitError: as soon as it is certain that the item is too large or too deep.
        """
        available = len(data) - start
        while self._owed:
            head = self.position + start
            if self.position >= available:
                return False
            info = data[head] & 31
            size = _SIZES.get(info, 0)
            if self.position + 1 + size > available:
                return False
            argument = int.from_bytes(data[head + 1 : head + 1 + size], "big") if size else info
            self._take(data[head] >> 5, info, argument, size + 1)
        return self.position <= available

    def _take(self, major: int, info: int, argument: int, size: int) -> None:
        """One head, and the string that follows it."""
        if info > max(_SIZES):
            raise self._bad_head(info)
        if self._under is not None:
            self._check_content(major)
        self.position += size
        if major in (_BYTES, _TEXT):
            self.position += argument
        elif major == _OTHER and info not in _OTHERS:
            raise self._simple_refusal(info, argument, size)
        self._count(major, argument)
        if self.position + self._owed > self._limits.message_bytes:
            self._refuse_size()

    def _count(self, major: int, argument: int) -> None:
        """One item fewer to come, and those that it holds more."""
        inner = self._inner_items(major, argument)
        self._owed += inner - 1
        if self._open:
            self._open[-1] -= 1
        if inner:
            self._open.append(inner)
            if len(self._open) > self._limits.nesting:
                limit = self._limits.nesting
                raise LimitError("nesting of {}", "nesting", limit, limit + 1)
        while self._open and not self._open[-1]:
            self._open.pop()

    def _inner_items(self, major: int, argument: int) -> int:
        if major == _ARRAY:
            return argument
        if major == _MAP:
            return 2 * argument
        if major == _TAG:
            if argument not in _CONTENT:
                raise tag_refusal(argument)
            self._under = argument
            return 1
        return 0

    def _check_content(self, major: int) -> None:
        """What a tag may be around is fixed, so tags cannot be piled up either."""
        tag, self._under = self._under, None
        expected = _CONTENT[tag or 0]
        if major != expected:
            raise DecodeError(f"tag {tag} must be around {_CONTENT_NAMES[expected]}")

    def _refuse_size(self) -> None:
        limit = self._limits.message_bytes
        raise LimitError("message of {} bytes", "message_bytes", limit, self.position + self._owed)

    def _bad_head(self, info: int) -> DecodeError:
        if info == _INDEFINITE:
            return DecodeError(
                f"item of indefinite length at byte {self.position}: lengths must be given"
            )
        return DecodeError(f"byte {self.position} does not begin an item")

    def _simple_refusal(self, info: int, argument: int, size: int) -> DecodeError:
        what = "undefined" if info == 23 else f"simple value {argument}"  # noqa: PLR2004 - RFC 8949, 3.3
        return DecodeError(f"{what} at byte {self.position - size} is not allowed: null is")
