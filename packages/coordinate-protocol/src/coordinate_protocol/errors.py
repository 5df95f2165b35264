"""What can be wrong with bytes, values and requests.

ProtocolError
├── DecodeError       the bytes are not one item that the protocol allows
├── EncodeError       the value is not one that the protocol can carry
├── LimitError        the input is over one of the limits
├── RequestError      an item that is not a request; it can be answered
├── ParameterError    the parameters do not fit the operation; also a TypeError
└── BadName           a name or a key is neither text nor bytes
"""

import reprlib
from typing import ClassVar

__all__ = [
    "BadName",
    "DecodeError",
    "EncodeError",
    "LimitError",
    "ParameterError",
    "ProtocolError",
    "RequestError",
    "shown",
]

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
# Python refuses to write an integer of more than 4,300 digits out, reprlib included.
_LONGEST_SHOWN = 256


def shown(value: object) -> str:
    """The value as an error message shows it: on one line, and short however big it is.

    Args:
        value: anything that came from a peer.

    Returns:
        Its repr, shortened; the size in bits for an integer too long to read.
    """
    if isinstance(value, int) and value.bit_length() > _LONGEST_SHOWN:
        return f"<integer of {value.bit_length()} bits>"
    try:
        return _SHORT.repr(value)
    except ValueError:
        return f"<{type(value).__name__}>"


class ProtocolError(Exception):
    """The base of this package's errors.

    Attributes:
        code: a word for programs, the same in every port; the vectors name it.
    """

    code: ClassVar[str] = "protocol"


class DecodeError(ProtocolError):
    """Bytes that are not one item the protocol allows: garbage, a foreign tag, a duplicate key."""

    code = "decode"


class EncodeError(ProtocolError):
    """A value of a type that has no form on the wire."""

    code = "encode"


class LimitError(ProtocolError):
    """Input over one of the limits.

    Attributes:
        setting: the setting's name in the configuration, `server.limits.message_bytes`.
        limit: what is allowed.
        value: what came, or the least that it can be.
    """

    code = "limit"

    def __init__(self, what: str, setting: str, limit: float, value: float) -> None:
        """Put the message together.

        Args:
            what: the thing measured, without its number: `"message of {} bytes"`.
            setting: the field of `Limits`.
            limit: the limit that was met, in the setting's unit.
            value: the size that was met.
        """
        self.setting = f"server.limits.{setting}"
        self.limit = limit
        self.value = value
        subject = what.format(value)
        super().__init__(f"{subject} is over the limit of {limit} (setting: {self.setting})")


class RequestError(ProtocolError):
    """A well delimited item that is not a request: it is answered, and the connection goes on.

    Attributes:
        request_id: the id to answer to, or None where the item has none that can be used.
    """

    code = "request"

    def __init__(self, message: str, request_id: int | None = None) -> None:
        """Keep the id.

        Args:
            message: what is wrong.
            request_id: the id of the request, where it has one.
        """
        super().__init__(message)
        self.request_id = request_id


class ParameterError(ProtocolError, TypeError):
    """Parameters that do not fit the operation: one missing, one unknown, or too many."""

    code = "parameters"


class BadName(ProtocolError):
    """A name that is not UTF-8 text, or a key that is neither text nor bytes."""

    code = "name"
