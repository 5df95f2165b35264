"""Sessions: what was answered to which call, so that a repeated call is answered alike.

A session's calls are numbered. The answer to each is kept, through restarts, until the client says
that it has it, or for ten minutes; so a call is done once at most, however often it is sent.
"""

from heapq import heappop, heappush
from typing import TYPE_CHECKING, Final

from attrs import define, field

from coordinate_server.model.alarms import Alarms, Horizon
from coordinate_server.model.errors import Refused
from coordinate_server.model.instant import Instant
from coordinate_server.model.rows import reply_key, reply_row, session_row

if TYPE_CHECKING:
    from coordinate_server.model.ledger import Ledger

__all__ = ["KEPT_SECONDS", "SESSION_BYTES", "Forgotten", "Session", "Sessions"]

SESSION_BYTES: Final = 16

_NO_CALL: Final = 0

KEPT_SECONDS: Final = 600.0
"""An answer is kept so long, and a session that no connection is in, after it was last heard of."""


class Forgotten(Exception):
    """Whether a call was done is not known any more.

    Arguments:
        seq: its number.
    """

    def __init__(self, seq: int) -> None:
        super().__init__(f"call {seq} of the session may have been done: its answer is not kept")
        self.seq = seq


@define(eq=False)
class _Kept:
    """An answer.

    Arguments:
        slot: the number of its row.
        reply: its bytes; None if they are forgotten.
        since: when it was given, on ``now``.
        asked_again: whether it was given more than once.
    """

    slot: int
    reply: bytes | None
    since: float
    asked_again: bool = False


@define(eq=False)
class Session:
    """The calls of one client.

    Arguments:
        name: 16 bytes that nobody can guess.
        namespace: the name of the namespace that it is of.
        heard: when it was last heard of, on ``now``.
        low: the lowest number that the client may ask for again.
    """

    name: bytes
    namespace: str
    heard: float
    low: int = 1
    alarm: float = field(default=0.0, init=False)
    connections: int = field(default=0, init=False)
    kept: dict[int, _Kept] = field(factory=dict, init=False)
    slots: int = field(default=0, init=False)
    # Bytes of the answers that are kept.
    size: int = field(default=0, init=False)
    _free: list[int] = field(factory=list, init=False)

    def take_slot(self) -> int:
        """Give the lowest row that is not in use; a client that calls one by one needs one."""
        if self._free:
            return heappop(self._free)
        self.slots += 1
        return self.slots - 1

    def free_slot(self, slot: int) -> None:
        """Note that a row may be written over."""
        heappush(self._free, slot)

    def load(self, slot: int, seq: int, low: int, reply: bytes | None) -> None:
        """Take in an answer that is written down; ``loaded`` comes after the last one."""
        self.slots = max(self.slots, slot + 1)
        self.low = max(self.low, low)
        self.keep(seq, _Kept(slot, reply, self.heard))

    def loaded(self) -> None:
        """Take in that these were all."""
        for seq in [seq for seq in self.kept if seq < self.low]:
            self.drop(seq)
        used = {kept.slot for kept in self.kept.values()}
        self._free = [slot for slot in range(self.slots) if slot not in used]

    def keep(self, seq: int, kept: _Kept) -> None:
        """Keep an answer."""
        self.drop(seq)
        self.kept[seq] = kept
        self.size += len(kept.reply or b"")

    def drop(self, seq: int) -> _Kept | None:
        """Keep an answer no more; its row may be in use still."""
        kept = self.kept.pop(seq, None)
        if kept is not None:
            self.size -= len(kept.reply or b"")
        return kept

    def acknowledge(self, low: int) -> None:
        """Forget the answers that the client has."""
        if low <= self.low:
            return
        self.low = low
        for seq in [seq for seq in self.kept if seq < low]:
            kept = self.drop(seq)
            if kept is not None:
                self.free_slot(kept.slot)


class Sessions:
    """All sessions of a server.

    Arguments:
        ledger: where changes are noted.
        most: how many answers of one session may wait to be acknowledged.
        most_bytes: how large these may be together.
        horizon: that of what is due by ``now``.
    """

    def __init__(self, ledger: "Ledger", most: int, most_bytes: int, horizon: Horizon) -> None:
        self._ledger, self._most, self._most_bytes = ledger, most, most_bytes
        self._alarms: Alarms[Session] = Alarms(_sounding, horizon)
        self.by_name: dict[bytes, Session] = {}

    def open(self, at: Instant, name: bytes, namespace: str) -> Session:
        """Begin a session under a name that was never used."""
        session = self.take_in(Session(name, namespace, at.now))
        self._ledger.reply(name, session_row(namespace))
        return session

    def take_in(self, session: Session) -> Session:
        """Do as ``open``, for a session that is written down already."""
        self.by_name[session.name] = session
        self._look_later(session, session.heard)
        return session

    def find(self, at: Instant, name: bytes, namespace: str) -> Session | None:
        """Give a session of a namespace; None for one that is not known any more."""
        session = self.by_name.get(name)
        if session is None or session.namespace != namespace:
            return None
        session.heard = at.now
        return session

    def answered(self, at: Instant, session: Session, seq: int, low: int) -> bytes | None:
        """Give the answer to a call that was done; None for one that was not.

        Arguments:
            at: the moment.
            session: the caller's.
            seq: the call's number.
            low: the lowest number that the client has had no answer to.

        Raises:
            Forgotten: it may have been done.
            Refused: too many answers wait to be acknowledged.
        """
        session.heard = at.now
        session.acknowledge(low)
        if seq < session.low:
            raise Forgotten(seq)
        kept = session.kept.get(seq)
        if kept is None:
            self._check_room(session)
            return None
        if kept.reply is None:
            raise Forgotten(seq)
        kept.asked_again = True
        return kept.reply

    def _check_room(self, session: Session) -> None:
        if len(session.kept) >= self._most:
            raise Refused(
                f"{len(session.kept)} answers of the session are not acknowledged"
                " (setting: server.limits.requests_in_flight)"
            )
        if session.size > self._most_bytes:
            raise Refused(
                f"{session.size} bytes of answers of the session are not acknowledged,"
                f" more than {self._most_bytes} (setting: server.limits.message_bytes)"
            )

    def keep(self, at: Instant, session: Session, seq: int, reply: bytes | None) -> None:
        """Keep the answer to a call; None for one that is on its way and must not begin again."""
        if self.by_name.get(session.name) is not session or seq < session.low:
            return
        known = session.kept.get(seq)
        slot = session.take_slot() if known is None else known.slot
        session.keep(seq, _Kept(slot, reply, at.now))
        self._write(session, seq)

    def undo(self, session: Session, seq: int) -> bool:
        """Have a call be as if it had not been done; not if its answer went out again meanwhile.

        Returns:
            Whether it is so.
        """
        kept = session.kept.get(seq)
        if kept is None or kept.asked_again:
            return False
        session.drop(seq)
        session.free_slot(kept.slot)
        # The row still says what was acknowledged: that must not be done again either.
        row = reply_row(_NO_CALL, session.low, None)
        self._ledger.reply(reply_key(session.name, kept.slot), row)
        return True

    def run_due(self, at: Instant) -> None:
        """Forget what is too old."""
        for session in self._alarms.due(at.now):
            self._look(at, session)

    def _look(self, at: Instant, session: Session) -> None:
        last = at.now - KEPT_SECONDS
        if session.heard <= last and not session.connections:
            self._forget(session)
            return
        for seq, kept in list(session.kept.items()):
            if kept.since <= last and kept.reply is not None:
                session.keep(seq, _Kept(kept.slot, None, kept.since))
                self._write(session, seq)
        moments = [kept.since for kept in session.kept.values() if kept.reply is not None]
        heard = at.now if session.connections else session.heard
        self._look_later(session, min([*moments, heard]))

    def _look_later(self, session: Session, since: float) -> None:
        session.alarm = since + KEPT_SECONDS
        self._alarms.add(session.alarm, session)

    def _write(self, session: Session, seq: int) -> None:
        kept = session.kept[seq]
        row = reply_row(seq, session.low, kept.reply)
        self._ledger.reply(reply_key(session.name, kept.slot), row)

    def _forget(self, session: Session) -> None:
        del self.by_name[session.name]
        self._ledger.reply(session.name, None)
        for slot in range(session.slots):
            self._ledger.reply(reply_key(session.name, slot), None)


def _sounding(session: Session, moment: float) -> bool:
    """Whether a session still waits to be looked at at that moment."""
    return session.alarm == moment
