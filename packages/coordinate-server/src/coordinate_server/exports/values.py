"""Bytes as JSON, so that exactly these bytes come out of it again.

CBOR that JSON can say is written as what it means. Where it is not certain that encoding that gives
the same bytes, the bytes are written: ``{"cbor": "<base64>"}``. Bytes that are no CBOR are text, or
``{"base64": "..."}``; within a value, byte strings are that too.
"""

import base64
import binascii
import json
from typing import Any, Final

import cbor2

__all__ = ["cbor_from", "cbor_value", "plain_value", "text_from", "text_value"]

_CBOR: Final = "cbor"
_BYTES: Final = "base64"
_DEPTH: Final = 64
_PLAIN: Final = (str, int, float, bool, type(None))


def plain_value(data: bytes) -> Any:
    """Give CBOR as JSON's own kinds of value, without byte strings; else ``{"cbor": ...}``."""
    return _said(data, allow_bytes=False)


def cbor_value(data: bytes) -> Any:
    """Give CBOR as JSON, byte strings as ``{"base64": ...}``; else ``{"cbor": ...}``."""
    return _said(data, allow_bytes=True)


def cbor_from(value: Any) -> bytes:
    """Give the CBOR that `plain_value` or `cbor_value` told of.

    Raises:
        ValueError: it is no such value.
    """
    wrapped = _wrapped(value, _CBOR)
    return cbor2.dumps(_unsaid(value)) if wrapped is None else wrapped


def text_value(data: bytes) -> Any:
    """Give bytes as text if they are UTF-8, else as ``{"base64": ...}``."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {_BYTES: base64.b64encode(data).decode()}


def text_from(value: Any) -> bytes:
    """Give the bytes that `text_value` told of.

    Raises:
        ValueError: it is no such value.
    """
    if isinstance(value, str):
        return value.encode()
    wrapped = _wrapped(value, _BYTES)
    if wrapped is None:
        raise ValueError(f'{value!r} should be text or {{"base64": ...}}')
    return wrapped


def _said(data: bytes, *, allow_bytes: bool) -> Any:
    try:
        said = _as_json(cbor2.loads(data, max_depth=_DEPTH), allow_bytes=allow_bytes)
        # As it will be read: JSON has its own ideas of text and of numbers.
        if cbor_from(json.loads(json.dumps(said, allow_nan=False))) == data:
            return said
    except (cbor2.CBORError, ValueError, TypeError, RecursionError):
        pass
    return {_CBOR: base64.b64encode(data).decode()}


def _as_json(value: Any, *, allow_bytes: bool) -> Any:
    if type(value) in _PLAIN:
        return value
    if type(value) is bytes and allow_bytes:
        return {_BYTES: base64.b64encode(value).decode()}
    if type(value) is list:
        return [_as_json(item, allow_bytes=allow_bytes) for item in value]
    if type(value) is not dict or value.keys() in ({_CBOR}, {_BYTES}):
        raise ValueError("JSON cannot say it, or means something else by it here")
    if any(type(key) is not str for key in value):
        raise ValueError("keys of JSON are text")
    return {key: _as_json(item, allow_bytes=allow_bytes) for key, item in value.items()}


def _unsaid(value: Any) -> Any:
    wrapped = _wrapped(value, _BYTES)
    if wrapped is not None:
        return wrapped
    if isinstance(value, list):
        return [_unsaid(item) for item in value]
    if isinstance(value, dict):
        return {key: _unsaid(item) for key, item in value.items()}
    return value


def _wrapped(value: Any, name: str) -> bytes | None:
    if not isinstance(value, dict) or value.keys() != {name}:
        return None
    try:
        return base64.b64decode(value[name], validate=True)
    except (TypeError, binascii.Error) as error:
        raise ValueError(f"{value!r} should have base64 in it") from error
