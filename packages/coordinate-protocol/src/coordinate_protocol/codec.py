"""Values to CBOR and back, with tags 2, 3, 24, 37 and 128 and no other.

cbor2 does the work. What it lets through and this protocol does not (bytes after the item, foreign
tags, undefined, simple values) is refused here.
"""

import marshal
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn
from uuid import UUID

import cbor2
from cbor2 import CBOREncoder

from coordinate_protocol.constants import TUPLE_TAG, WRAPPED_TAG
from coordinate_protocol.errors import DecodeError, EncodeError, LimitError, shown
from coordinate_protocol.heads import TAG, UNSIGNED, head
from coordinate_protocol.limits import ANSWER_LIMITS, DEFAULT_LIMITS, Limits
from coordinate_protocol.scanner import Scanner, tag_refusal
from coordinate_protocol.values import Encoded, byte_keys

__all__ = ["decode", "encode", "encode_native_bytes", "request_id_of"]

_Hook = Callable[[Any, Any], Any]

_TUPLE: Final = head(TAG, TUPLE_TAG)
_WORD_END: Final = 2**64

# Tags that cbor2 would turn into dates, shared references and the like unasked.
_FOREIGN_TAGS: Final = (
    *(0, 1, 4, 5, 25, 28, 29, 30, 35, 36, 52, 54, 100),
    *(256, 258, 260, 261, 1004, 43000, 55799),
)

# What begins an item of major type 7 that is no boolean, null or float; 0xf8 carries one in its
# second byte. Text and bytes hold them too: a match only means that a closer look is due.
_SIMPLE_HEADS: Final = frozenset((*range(0xE0, 0xF4), 0xF7, 0xF8))
_SIMPLE_BYTES: Final = bytes(1 if byte in _SIMPLE_HEADS else 0 for byte in range(256))

_SIMPLE_KINDS: Final = frozenset((cbor2.CBORSimpleValue, type(cbor2.undefined)))

_MOST_MARSHALLED: Final = 2**20
# The version of the format from which on floats are not written as text.
_PLAIN_FLOATS: Final = 2

# loads() says nothing of bytes after the item. So it is given an array of the item and this mark:
# what follows the item is the mark, whole, only if nothing came between. The mark overlaps neither
# itself nor its own head, so bytes that do not contain it cannot imitate it.
_MARK: Final = b"\x01coordinate:end\x02"
_MARK_ITEM: Final = bytes([0x40 + len(_MARK)]) + _MARK


# cbor2 names the kind of item first, then what is wrong with it.
_CONTEXT: Final = re.compile(r"^(error decoding [\w ]+: )+")


class _EmbeddedItemMet(Exception):
    """Tag 24 within a message: rare, so only a second look pays for it."""


# ---- encoding ----


def _encode_tuple(encoder: CBOREncoder, value: tuple[Any, ...]) -> None:
    encoder.write(_TUPLE)
    encoder.encode_array(value)


def _encode_null(encoder: CBOREncoder, _: None) -> None:
    encoder.encode_none()


def _embed(encoder: CBOREncoder, value: Encoded) -> None:
    encoder.write(value.data)


def _encode_text_as_bytes(encoder: CBOREncoder, value: str) -> None:
    encoder.encode_bytes(value.encode())


def _embed_with_byte_keys(encoder: CBOREncoder, value: Encoded) -> None:
    encoder.write(encode(byte_keys(decode(value.data, ANSWER_LIMITS, integer_keys=True))))


def _refuse_type(_: CBOREncoder, value: object) -> NoReturn:
    raise EncodeError(
        f"{type(value).__name__} cannot be sent: a value is None, bool, int, float, str, bytes, "
        "UUID, list, tuple or dict"
    )


class _Encoders(dict[type, _Hook]):
    """The types that have a form on the wire; cbor2 asks here for every value it meets.

    It would otherwise send sets, dates and more under tags that 0.1.5 dies of.
    """

    def __missing__(self, kind: type) -> _Hook:
        return next((self[base] for base in kind.__mro__ if base in self), _refuse_type)


_ENCODERS: Final = _Encoders(
    {
        type(None): _encode_null,
        bool: CBOREncoder.encode_bool,
        int: CBOREncoder.encode_int,
        float: CBOREncoder.encode_float,
        str: CBOREncoder.encode_string,
        bytes: CBOREncoder.encode_bytes,
        bytearray: CBOREncoder.encode_bytearray,
        UUID: CBOREncoder.encode_uuid,
        list: CBOREncoder.encode_array,
        tuple: _encode_tuple,
        dict: CBOREncoder.encode_map,
        Encoded: _embed,
    }
)

_NATIVE_ENCODERS: Final = _Encoders(
    {**_ENCODERS, str: _encode_text_as_bytes, Encoded: _embed_with_byte_keys}
)


def encode(value: Any) -> bytes:
    """The CBOR of a value: tuples under tag 128, UUIDs under 37, `Encoded` as it is.

    Args:
        value: None, bool, int, float, str, bytes, UUID, list, tuple, dict or Encoded.

    Raises:
        EncodeError: for any other type, a value that contains itself, or text that is not Unicode.
    """
    if type(value) is Encoded:
        return value.data
    if type(value) is int and 0 <= value < _WORD_END:
        return head(UNSIGNED, value)
    return _dumped(value, _ENCODERS)


def encode_native_bytes(value: Any) -> bytes:
    """The same for a peer whose strings are byte strings, as Python 2's native ones are.

    Text becomes UTF-8 byte strings everywhere, except within `Encoded`: that is data of users, of
    which only the map keys change.

    Args:
        value: as for `encode`.

    Raises:
        EncodeError: as for `encode`.
        DecodeError: for an `Encoded` that is not one item.
    """
    return _dumped(value, _NATIVE_ENCODERS)


def _dumped(value: Any, encoders: Mapping[type, _Hook]) -> bytes:
    try:
        return cbor2.dumps(value, encoders=encoders)
    except (cbor2.CBOREncodeError, UnicodeEncodeError, RecursionError) as error:
        raise EncodeError(f"{shown(value)} cannot be sent: {_first_line(error)}") from error


# ---- decoding ----


def _as_tuple(value: Any, _: bool) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise DecodeError(f"tag {TUPLE_TAG} is around {shown(value)}: it must be around an array")
    return tuple(value)


def _refuse_tag(tag: cbor2.CBORTag, _: bool) -> NoReturn:
    raise tag_refusal(tag.tag)


def _refuser(tag: int) -> Callable[[Any, bool], NoReturn]:
    def refuse(_: Any, __: bool) -> NoReturn:
        raise tag_refusal(tag)

    return refuse


def _notice_embedded(_: Any, __: bool) -> NoReturn:
    raise _EmbeddedItemMet


_DECODERS: Final[Mapping[int, Callable[[Any, bool], Any]]] = {
    **{tag: _refuser(tag) for tag in _FOREIGN_TAGS},
    TUPLE_TAG: _as_tuple,
    WRAPPED_TAG: _notice_embedded,
}


def decode(data: bytes, limits: Limits = DEFAULT_LIMITS, *, integer_keys: bool = False) -> Any:
    """The one value that the bytes are.

    Args:
        data: the whole item and nothing after it.
        limits: `nesting` holds here.
        integer_keys: map keys may be other than strings. Answers have such maps
            (`count_work_units`); requests do not, since colliding integers make a map slow.

    Returns:
        None, bool, int, float, str, bytes, UUID, list, tuple (from tag 128) or dict. An item
        embedded under tag 24 is given as the value that it holds.

    Raises:
        DecodeError: for anything but one item that the protocol allows.
        LimitError: for one that is nested too deeply.
    """
    if _MARK in data:
        _scan(data, limits)
    try:
        return _loaded(data, limits, _DECODERS, integer_keys=integer_keys)
    except _EmbeddedItemMet:
        return _decode_with_embedded(data, limits, integer_keys=integer_keys)


def _loaded(
    data: bytes,
    limits: Limits,
    decoders: Mapping[int, Callable[[Any, bool], Any]],
    *,
    integer_keys: bool,
) -> Any:
    try:
        found = cbor2.loads(
            b"\x82" + data + _MARK_ITEM,
            tag_hook=_refuse_tag,
            semantic_decoders=decoders,
            max_depth=limits.nesting + 1,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=not integer_keys,
        )
    except cbor2.CBORDecodeError as error:
        raise _decode_error(error, data, limits) from error
    if found[1] != _MARK or (
        1 in data.translate(_SIMPLE_BYTES) and _holds_simple(found[0], len(data))
    ):
        # It says what is wrong, and where.
        _scan(data, limits)
    return found[0]


def _holds_simple(value: Any, size: int) -> bool:
    """Whether a value, or one within it, is one of those that cbor2 has classes of its own for.

    Args:
        value: what was decoded.
        size: from how many bytes.
    """
    return not _is_plain(value, size) and _is_found(_SIMPLE_KINDS, value)


def _is_plain(value: Any, size: int) -> bool:
    """Whether all of it certainly is of Python's own types.

    Marshal refuses any other, UUIDs among them, and goes through a value five times as fast as
    Python code. What it makes of it is of no use, and should not be much.
    """
    if size > _MOST_MARSHALLED:
        return False
    try:
        marshal.dumps(value, _PLAIN_FLOATS)
    except ValueError:
        return False
    return True


def _is_found(kinds: frozenset[object], value: Any) -> bool:
    """Whether a value, or one within it, is of one of the kinds."""
    waiting = [[value]]
    while waiting:
        for item in waiting.pop():
            kind = type(item)
            if kind is list or kind is tuple:
                waiting.append(item)
            elif kind is dict:
                waiting += (item, item.values())
            elif kind in kinds:
                return True
    return False


def _decode_error(error: Exception, data: bytes, limits: Limits) -> Exception:
    """The error to raise for one of cbor2's, which wraps what a decoder of ours raised."""
    cause = error.__cause__
    if isinstance(cause, (DecodeError, LimitError, _EmbeddedItemMet)):
        return cause
    if "nesting depth" in str(error):
        return _depth_error(limits)
    if isinstance(error, cbor2.CBORDecodeEOF):
        return DecodeError(f"item of {len(data)} bytes is cut off or has a wrong length in it")
    if isinstance(cause, UnicodeDecodeError):
        return DecodeError("not a valid item: text that is not UTF-8")
    return DecodeError(f"not a valid item: {_CONTEXT.sub('', _first_line(error))}")


def _depth_error(limits: Limits) -> LimitError:
    """The error for an item nested one deeper than allowed, or more."""
    return LimitError("nesting of {}", "nesting", limits.nesting, limits.nesting + 1)


def _decode_with_embedded(data: bytes, limits: Limits, *, integer_keys: bool) -> Any:
    """Items under tag 24 are opened once, not those within them: so the recursion has an end."""

    def opened(content: Any, _: bool) -> Any:
        if not isinstance(content, bytes):
            raise DecodeError(f"tag {WRAPPED_TAG} is around {shown(content)}: it must be bytes")
        try:
            return _decode_plain(content, limits, integer_keys=integer_keys)
        except LimitError as error:
            raise DecodeError(str(error)) from error

    value = _loaded(data, limits, {**_DECODERS, WRAPPED_TAG: opened}, integer_keys=integer_keys)
    _check_depth(value, limits)
    return value


def _decode_plain(data: bytes, limits: Limits, *, integer_keys: bool) -> Any:
    """An item without any item under tag 24 in it."""
    if _MARK in data:
        _scan(data, limits)
    decoders = {**_DECODERS, WRAPPED_TAG: _refuser(WRAPPED_TAG)}
    return _loaded(data, limits, decoders, integer_keys=integer_keys)


def _check_depth(value: Any, limits: Limits) -> None:
    """Opened items stand deeper than they were counted at, so they are counted again."""
    waiting = [(value, 0)]
    while waiting:
        item, depth = waiting.pop()
        if depth > limits.nesting:
            raise _depth_error(limits)
        if isinstance(item, dict):
            waiting.extend((inner, depth + 1) for inner in item.values())
        elif isinstance(item, (list, tuple)):
            levels = 2 if isinstance(item, tuple) else 1
            waiting.extend((inner, depth + levels) for inner in item)


def _scan(data: bytes, limits: Limits) -> None:
    """The slow and exact look: one allowed item, to the last byte."""
    scanner = Scanner(limits)
    if not scanner.advance(data):
        raise DecodeError(f"item of {len(data)} bytes is cut off or has a wrong length in it")
    if scanner.position != len(data):
        raise DecodeError("bytes after the end of the item: a message is one item")


def _first_line(error: Exception) -> str:
    text = str(error).split("\n", 1)[0] or type(error).__name__
    return text[:200]


# ---- salvage ----


def request_id_of(data: bytes, limits: Limits = DEFAULT_LIMITS) -> int | None:
    """The id of a request that could not be decoded, so that its client can be told which it was.

    Args:
        data: what `decode` refused.
        limits: `nesting` holds here.

    Returns:
        The id, or None where the bytes are too far from a request to have one.
    """
    nothing = dict.fromkeys((*_FOREIGN_TAGS, TUPLE_TAG, WRAPPED_TAG), lambda _value, _immutable: 0)
    try:
        found = cbor2.loads(
            data,
            tag_hook=lambda _tag, _immutable: 0,
            semantic_decoders=nothing,
            str_errors="replace",
            max_depth=limits.nesting,
            allow_indefinite=False,
            strict_hashable_types=True,
        )
    except cbor2.CBORDecodeError:
        return None
    if not isinstance(found, dict):
        return None
    found_id = found.get("id", found.get(b"id"))
    return found_id if type(found_id) is int else None
