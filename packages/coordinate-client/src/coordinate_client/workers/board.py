"""The board: memory that a parent shares with its children, where each says what it runs.

Each child writes into a slot of its own, several times for a unit, without any call to the system;
the parent looks when it wants to. What the parent asks of a child is in the slot as well, before a
signal tells the child to look.
"""

import math
import mmap
import struct
from typing import Any

from attrs import define, frozen

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.errors import ProtocolError

__all__ = ["Board", "Request", "Running", "Slot"]

# Of what runs: attempt, began (wall), lease (seconds), its end, until when it may run (both on the
# steady clock), for how long (seconds), and the lengths of spec, key and progress.
_HEAD = struct.Struct("=QdddddIII")
_REQUEST = struct.Struct("=QI")
_ROOM = 4096
_REQUEST_AT = 3072
_PROGRESS_AT = 2048
_PROGRESS_ROOM = _REQUEST_AT - _PROGRESS_AT
_OWNER_ROOM = 64
_OWNER_AT = _PROGRESS_AT - _OWNER_ROOM
_NAMES_ROOM = _OWNER_AT - _HEAD.size
_REASON_ROOM = _ROOM - _REQUEST_AT - _REQUEST.size
_NO_ATTEMPT = 2**64 - 1


@define
class Running:
    """A unit that a child runs.

    Args:
        work_spec_name: the spec it is of.
        key: which it is.
        attempt: the number of the hand-out; None where the server does not say it.
        began: when it began, seconds since 1970.
        lease: for how many seconds it was leased last.
        expires: when the lease ends, on the steady clock.
        limit: for how many seconds it may run; infinity for as long as it takes.
        until: when that is over, on the steady clock.
        progress: what it last said of how far it is, or None.
    """

    work_spec_name: str
    key: bytes
    attempt: int | None
    began: float
    lease: float
    expires: float
    limit: float = math.inf
    until: float = math.inf
    progress: Any = None


@frozen
class Request:
    """What a parent asks of a child.

    Args:
        attempt: the unit that it is about, by the number of its hand-out.
        reason: why it is to end.
    """

    attempt: int | None
    reason: str


class Board:
    """Shared memory with a slot for each child; made before they are forked."""

    def __init__(self, slots: int) -> None:
        """Make room for so many."""
        self._memory = mmap.mmap(-1, slots * _ROOM)
        self.slots = [Slot(memoryview(self._memory), number * _ROOM) for number in range(slots)]


class Slot:
    """What one child says, and is asked."""

    def __init__(self, memory: memoryview, offset: int) -> None:
        """Begin with nothing.

        Args:
            memory: that of the board.
            offset: where the slot is in it.
        """
        self._memory = memory[offset : offset + _ROOM]

    def begin(self, running: Running) -> bool:
        """Say what runs now; False where its names have no room, and nothing is said of it."""
        spec = running.work_spec_name.encode()
        names = spec + running.key
        if len(names) > _NAMES_ROOM:
            self.end()
            return False
        self._memory[_HEAD.size : _HEAD.size + len(names)] = names
        _HEAD.pack_into(
            self._memory,
            0,
            _NO_ATTEMPT if running.attempt is None else running.attempt,
            running.began,
            running.lease,
            running.expires,
            running.until,
            running.limit,
            len(spec),
            len(running.key),
            0,
        )
        return True

    def renew(self, lease: float, expires: float) -> None:
        """Say that the lease was renewed."""
        struct.pack_into("=dd", self._memory, 16, lease, expires)

    def progress(self, progress: Any) -> None:
        """Say how far it is; what has no room is left out."""
        try:
            said = encode(progress)
        except ProtocolError:
            return
        if len(said) <= _PROGRESS_ROOM:
            self._memory[_PROGRESS_AT : _PROGRESS_AT + len(said)] = said
            struct.pack_into("=I", self._memory, _HEAD.size - 4, len(said))

    def end(self) -> None:
        """Say that nothing runs."""
        # Began at 0: nothing.
        struct.pack_into("=d", self._memory, 8, 0.0)

    @property
    def running(self) -> Running | None:
        """What runs; None where nothing does.

        While the child writes it may be a mixture of two units; what is certain is what is read
        after the child has ended.
        """
        attempt, began, lease, expires, until, limit, spec, key, said = _HEAD.unpack_from(
            self._memory, 0
        )
        if not began:
            return None
        names = bytes(self._memory[_HEAD.size : _HEAD.size + spec + key])
        return Running(
            names[:spec].decode(errors="replace"),
            names[spec:],
            None if attempt == _NO_ATTEMPT else attempt,
            began,
            lease,
            expires,
            limit,
            until,
            self._said(said),
        )

    def _said(self, length: int) -> Any:
        if not length:
            return None
        try:
            return decode(bytes(self._memory[_PROGRESS_AT : _PROGRESS_AT + length]))
        except ProtocolError:
            return None

    def ask(self, request: Request) -> None:
        """Say what is asked of the child; it looks when it gets the signal."""
        reason = request.reason.encode()[:_REASON_ROOM]
        start = _REQUEST_AT + _REQUEST.size
        self._memory[start : start + len(reason)] = reason
        attempt = _NO_ATTEMPT if request.attempt is None else request.attempt
        _REQUEST.pack_into(self._memory, _REQUEST_AT, attempt, len(reason))

    @property
    def request(self) -> Request | None:
        """What is asked of the child; None for nothing."""
        attempt, length = _REQUEST.unpack_from(self._memory, _REQUEST_AT)
        if not length:
            return None
        start = _REQUEST_AT + _REQUEST.size
        reason = bytes(self._memory[start : start + length]).decode(errors="replace")
        return Request(None if attempt == _NO_ATTEMPT else attempt, reason)

    @property
    def owner(self) -> str:
        """The worker id of the child that has the slot; "" for nobody."""
        return bytes(self._memory[_OWNER_AT:_PROGRESS_AT]).rstrip(b"\0").decode(errors="replace")

    def give(self, owner: str) -> None:
        """Begin anew, for another child.

        Args:
            owner: its worker id, 64 bytes at most; "" for nobody.
        """
        self._memory[:] = bytes(_ROOM)
        self._memory[_OWNER_AT:_PROGRESS_AT] = owner.encode().ljust(_OWNER_ROOM, b"\0")
