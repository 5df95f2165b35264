"""Requests and answers, and how they are told from what comes and put into what goes."""

from collections.abc import Sequence
from typing import Any, Final

from attrs import define

from coordinate_protocol.codec import decode, encode, encode_native_bytes, request_id_of
from coordinate_protocol.errors import (
    BadName,
    DecodeError,
    EncodeError,
    LimitError,
    RequestError,
    shown,
)
from coordinate_protocol.framing import Frame, wrap
from coordinate_protocol.heads import ARRAY, head
from coordinate_protocol.limits import ANSWER_LIMITS, DEFAULT_LIMITS, Limits
from coordinate_protocol.values import as_text, text_keys

__all__ = [
    "Failure",
    "Incoming",
    "Request",
    "Response",
    "answer_bytes",
    "answers_in",
    "parse_answers",
    "parse_incoming",
    "request_value",
]

_LOWEST_ID: Final = -(2**64)
_ID_END: Final = 2**64
_NAMES: Final = ("method", "params", "seq", "low")
_NATIVE_NAMES: Final = (b"method", b"params", b"seq", b"low")


@define
class Request:
    """A call that came.

    Args:
        id: the number that its answer carries.
        method: the operation's name.
        params: positional as a list, by keyword as a dict with text keys; values as they were sent.
        native_bytes: whether the client's strings are byte strings.
        seq: its number within the connection's session; None for a call that may be done twice.
        low: the lowest number in the session that the client has had no answer to.
    """

    id: int
    method: str
    params: list[Any] | dict[str, Any]
    native_bytes: bool = False
    seq: int | None = None
    low: int = 1


@define
class Response:
    """The answer to a call that went well.

    Args:
        id: that of the request.
        result: any value that can be sent.
    """

    id: int | None
    result: Any


@define
class Failure:
    """The answer to a call that did not.

    Args:
        id: that of the request, or None where it is not known.
        message: what is wrong, for people.
        code: what is wrong, for programs; None where the text says all there is.
    """

    id: int | None
    message: str
    code: str | None = None


@define
class Incoming:
    """What one message asks for.

    Args:
        requests: the calls in order; a RequestError stands for an item that is none, and is
            answered with a Failure that has its id and text.
        batch: whether the answers go back as an array.
        wrapped: whether they go back in a wrapper.
        native_bytes: whether their strings go back as byte strings.
    """

    requests: tuple[Request | RequestError, ...]
    batch: bool
    wrapped: bool
    native_bytes: bool


# ---- requests ----


def parse_incoming(frame: Frame, limits: Limits = DEFAULT_LIMITS) -> Incoming:
    """What the message in a frame asks for; what is wrong in it is in the result as RequestError.

    Args:
        frame: a complete one: whatever is in it, the next message begins after it.
        limits: `nesting` and `batch` hold here.
    """
    try:
        value = decode(frame.payload, limits)
    except (DecodeError, LimitError) as error:
        refusal = RequestError(str(error), request_id_of(frame.payload, limits))
        return Incoming((refusal,), batch=False, wrapped=frame.wrapped, native_bytes=False)
    if isinstance(value, list):
        return _batch(value, frame, limits)
    return Incoming((_request(value),), False, frame.wrapped, _is_native(value))


def _batch(items: list[Any], frame: Frame, limits: Limits) -> Incoming:
    native = any(_is_native(item) for item in items)
    refusal = _batch_refusal(len(items), limits)
    if refusal is not None:
        return Incoming((refusal,), batch=False, wrapped=frame.wrapped, native_bytes=native)
    requests = tuple(_request(item) for item in items)
    return Incoming(requests, batch=True, wrapped=frame.wrapped, native_bytes=native)


def _batch_refusal(size: int, limits: Limits) -> RequestError | None:
    if not size:
        return RequestError("batch of 0 requests: it must have at least one")
    if size > limits.batch:
        return RequestError(str(LimitError("batch of {} requests", "batch", limits.batch, size)))
    return None


def _is_native(value: Any) -> bool:
    return isinstance(value, dict) and (b"method" in value or b"id" in value)


def _request(value: Any) -> Request | RequestError:
    if not isinstance(value, dict):
        return RequestError(f"{shown(value)} is not a request: it must be a map")
    native = _is_native(value)
    found = value.get(b"id" if native else "id")
    if type(found) is not int or not _LOWEST_ID <= found < _ID_END:
        return RequestError(f"id {shown(found)} is not usable: it must be a number of 64 bits")
    try:
        return _request_with_id(found, value, native)
    except (BadName, DecodeError) as error:
        return RequestError(str(error), found)


def _request_with_id(request_id: int, value: dict[Any, Any], native: bool) -> Request:
    method, params, numbered, lowest = _NATIVE_NAMES if native else _NAMES
    if method not in value:
        raise DecodeError("request without a method: it must have id, method and params")
    name, given = as_text(value[method]), value.get(params)
    if type(given) is not list:
        given = _params(given)
    seq = value.get(numbered)
    if seq is None:
        return Request(request_id, name, given, native)
    low = value.get(lowest, 1)
    if type(seq) is not int or type(low) is not int or not 1 <= low <= seq < _ID_END:
        raise _not_numbered(seq, low)
    return Request(request_id, name, given, native, seq, low)


def _not_numbered(seq: Any, low: Any) -> DecodeError:
    """Say which number of a session is none; the lowest unanswered one is not above the call's."""
    most = _ID_END - 1
    if type(seq) is int and 1 <= seq <= most:
        return DecodeError(f"low {shown(low)} is not usable: it must be from 1 to {seq}")
    return DecodeError(f"seq {shown(seq)} is not usable: it must be from 1 to {most}")


def _params(params: Any) -> list[Any] | dict[str, Any]:
    if isinstance(params, list):
        return params
    if isinstance(params, tuple):
        return list(params)
    if isinstance(params, dict):
        return _keyword_params(params)
    raise DecodeError(f"params {shown(params)} are not usable: they must be an array or a map")


def _keyword_params(params: dict[Any, Any]) -> dict[str, Any]:
    named = {as_text(key): value for key, value in params.items()}
    if len(named) != len(params):
        raise DecodeError("params have one name as text and as bytes: it may be there once")
    return named


def request_value(
    request_id: int,
    method: str,
    params: list[Any] | dict[str, Any],
    *,
    seq: int | None = None,
    low: int = 1,
) -> Any:
    """The map that a request is on the wire.

    Args:
        request_id: the number to know the answer by.
        method: the operation's name.
        params: positional as a list, by keyword as a dict.
        seq: its number within the connection's session; None for none.
        low: the lowest number in the session that no answer came to.
    """
    if seq is None:
        return {"id": request_id, "method": method, "params": params}
    return {"id": request_id, "method": method, "params": params, "seq": seq, "low": low}


# ---- answers ----


_ANSWERED: Final = (b"\xa2\x62id", b"\x66result")
_ANSWERED_NATIVE: Final = (b"\xa2\x42id", b"\x46result")


def answer_bytes(
    answers: Sequence[Response | Failure], *, batch: bool, wrapped: bool, native_bytes: bool
) -> bytes:
    """The bytes of the answer to one message, in the style of the request.

    Args:
        answers: one for each request, in their order.
        batch: whether they go as an array.
        wrapped: whether they go in a wrapper.
        native_bytes: whether strings go as byte strings.

    Returns:
        One message. A result that cannot be sent is replaced by a Failure that says so.

    Raises:
        ValueError: for a number of answers other than one without `batch`.
    """
    if batch:
        items = [_answer_bytes(answer, native_bytes) for answer in answers]
        payload = head(ARRAY, len(items)) + b"".join(items)
    elif len(answers) == 1:
        payload = _answer_bytes(answers[0], native_bytes)
    else:
        raise ValueError(f"{len(answers)} answers to one request: there must be one")
    return wrap(payload) if wrapped else payload


def _answer_bytes(answer: Response | Failure, native_bytes: bool) -> bytes:
    """One answer, put together: its result mostly is bytes already."""
    encoder = encode_native_bytes if native_bytes else encode
    if isinstance(answer, Response):
        begin, middle = _ANSWERED_NATIVE if native_bytes else _ANSWERED
        try:
            return begin + encode(answer.id) + middle + encoder(answer.result)
        except (EncodeError, DecodeError) as error:
            answer = Failure(answer.id, f"the result cannot be sent: {error}")
    return encoder(_failure_value(answer))


def _failure_value(answer: Failure) -> dict[str, Any]:
    # An error text may hold half a surrogate pair, from a file name, say.
    error = {"message": answer.message.encode(errors="replace").decode()}
    if answer.code is not None:
        error["code"] = answer.code
    return {"id": answer.id, "error": error}


def parse_answers(frame: Frame, limits: Limits = ANSWER_LIMITS) -> list[Response | Failure]:
    """The answers in a frame: one, or those of a batch in its order.

    Args:
        frame: a complete one.
        limits: `nesting` holds here.

    Raises:
        DecodeError: for a frame that holds anything else.
        LimitError: for one that is nested too deeply.
    """
    return answers_in(frame.payload, limits)


def answers_in(payload: bytes, limits: Limits = ANSWER_LIMITS) -> list[Response | Failure]:
    """The answers in a message's bytes; see `parse_answers`."""
    value = decode(payload, limits, integer_keys=True)
    if isinstance(value, list):
        return [_answer(item) for item in value]
    return [_answer(value)]


def _answer(value: Any) -> Response | Failure:
    """0.1.5 sends byte strings: map keys are made text, other values stay as they are."""
    if not isinstance(value, dict):
        raise DecodeError(f"{shown(value)} is not an answer: it must be a map")
    if b"id" in value:
        value = text_keys(value)
    answer_id = value.get("id")
    if answer_id is not None and type(answer_id) is not int:
        raise DecodeError(f"id {shown(answer_id)} of an answer is not usable: it must be a number")
    if "result" in value:
        return Response(answer_id, value["result"])
    error = value.get("error")
    return Failure(answer_id, _failure_text(error), _failure_code(error))


def _failure_text(error: Any) -> str:
    message = error.get("message") if isinstance(error, dict) else error
    if isinstance(message, bytes):
        return message.decode(errors="replace")
    return message if isinstance(message, str) else shown(error)


def _failure_code(error: Any) -> str | None:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) else None
