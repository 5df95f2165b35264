"""One connection: its bytes to messages, their answers to bytes."""

import asyncio
import socket
from collections.abc import Iterable, Sequence
from typing import cast

from coordinate_protocol.connection import ServerConnection
from coordinate_protocol.errors import DecodeError, LimitError, ProtocolError
from coordinate_protocol.messages import Failure, Incoming, Response
from coordinate_server.net.backend import Answer, Delivery, Peer, Waiting
from coordinate_server.net.later import Later, refused
from coordinate_server.net.shared import Shared

__all__ = ["Connection"]

# A socket closed with unread bytes in it is reset, and the peer may never see why. So after the
# last word we read on and throw away, for this long or until the peer closes.
_LINGER = 2.0


class Connection(asyncio.Protocol):
    """Answers one client.

    Answers of one turn of the loop leave in one write. Reading pauses while too many requests are
    unanswered, or while the peer does not take its answers.

    Arguments:
        shared: what all connections have in common.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._framing = ServerConnection(shared.limits)
        self._peer: Peer = shared.backend.open()
        self._transport: asyncio.Transport | None = None
        self._out: list[tuple[bytes, Sequence[Answer]]] = []
        self._in_flight = self._answered = 0
        self._buffered = 0
        self._held = self._deaf = False
        self._peer_is_slow = False
        self._ending = False
        self._eof = False
        self._refused = False
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: dict[asyncio.Task[None], Later] = {}
        self._waiting: dict[Waiting, None] = {}

    # ---- what asyncio calls ----

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin; one connection too many is told so."""
        self._transport = cast("asyncio.Transport", transport)
        _set_options(transport.get_extra_info("socket"))
        refused = self._shared.admit(self)
        if refused is not None:
            self._refuse(refused)

    def data_received(self, data: bytes) -> None:
        """Take what came; what comes after the end is thrown away."""
        if not self._ending:
            self._pump(data)

    def eof_received(self) -> bool:
        """Answer what was taken, then close; what waits is given up, a message cut short told."""
        if self._ending:
            return not self._refused
        self._eof = True
        # It may be gone for good, and then nothing may be given to it.
        for waiting in list(self._waiting):
            waiting.abandon()
        if not self._held:
            self._end_of_input()
        return bool(self._in_flight or self._out)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it; a call that goes on is applied all the same, one that waits is not."""
        del exc
        self._ending = True
        self._stop_timer()
        self._shared.leave(self, self._buffered)
        self._buffered = 0
        self._transport = None
        for waiting in list(self._waiting):
            waiting.abandon()
        self._peer.closed()

    def pause_writing(self) -> None:
        """Stop reading from a peer that does not read."""
        self._peer_is_slow = True
        self._steer()

    def resume_writing(self) -> None:
        """Go on reading."""
        self._peer_is_slow = False
        self._steer()

    # ---- what the server calls ----

    def finish(self) -> None:
        """Take nothing more; close once everything taken is answered, what waits at once."""
        self._ending = True
        for waiting in list(self._waiting):
            waiting.expire()
        self._steer()
        self._end_if_idle()

    def abort(self) -> None:
        """Close now, whatever is on its way."""
        self._ending = True
        if self._transport is not None:
            self._transport.abort()

    # ---- in ----

    def _pump(self, data: bytes) -> None:
        limits = self._shared.limits
        completed = False
        try:
            for incoming in self._framing.receive(data):
                completed = True
                self._take(incoming)
                # What waits is bounded by itself: it must not keep us from seeing the peer go.
                self._held = self._in_flight - len(self._waiting) >= limits.requests_in_flight
                if self._held:
                    break
        except ProtocolError as error:
            self._refuse(error)
        if self._buffered or self._ending or self._framing.buffered:
            self._account()
        if self._buffered or self._timer is not None:
            self._time(restart=completed)
        self._steer()

    def _take(self, incoming: Incoming) -> None:
        answers = self._peer.answers(incoming)
        self._in_flight += len(answers)
        for answer in answers:
            if not isinstance(answer, (Response, Failure)):
                self._later(Later(incoming, answers))
                return
        self._reply(incoming, cast("Sequence[Answer]", answers))

    def _later(self, later: Later) -> None:
        most = self._shared.limits.requests_in_flight
        if later.waiting and len(self._waiting) + len(later.waiting) > most:
            later = Later(later.incoming, refused(later.incoming, later.answers, most))
        self._waiting.update(dict.fromkeys(later.waiting))
        task = self._shared.loop.create_task(self._complete(later))
        self._tasks[task] = later
        task.add_done_callback(self._completed)

    async def _complete(self, later: Later) -> None:
        self._reply(later.incoming, await later.complete())

    def _completed(self, task: asyncio.Task[None]) -> None:
        later = self._tasks.pop(task)
        for answer in later.waiting:
            del self._waiting[answer]
        if task.cancelled():
            _undelivered(later.given, gone=True)
            self._in_flight -= len(later.answers)
            self._end_if_idle()

    def _end_of_input(self) -> None:
        self._ending = True
        try:
            self._framing.eof()
        except DecodeError as error:
            self._refuse(error)

    def _account(self) -> None:
        before, self._buffered = self._buffered, self._framing.buffered
        if self._ending:
            self._buffered = 0
        refused = self._shared.account(before, self._buffered)
        if refused is not None and not self._ending:
            self._refuse(refused)

    # ---- out ----

    def _reply(self, incoming: Incoming, answers: Sequence[Answer]) -> None:
        """Encode at once: what a result refers to may change before the commit."""
        self._queue(self._framing.reply(incoming, answers), answers)

    def _queue(self, data: bytes, answers: Sequence[Answer]) -> None:
        if not self._out:
            self._shared.backend.after_commit(self._flush)
        self._out.append((data, answers))
        self._answered += len(answers)

    def _flush(self) -> None:
        out, self._out = self._out, []
        self._in_flight -= self._answered
        self._answered = 0
        gone = self._transport is None or self._transport.is_closing()
        if gone or self._eof:
            out = [(data, answers) for data, answers in out if not _undelivered(answers, gone=gone)]
        if self._transport is None:
            return
        if len(out) == 1:
            self._transport.write(out[0][0])
        elif out:
            self._transport.write(b"".join([data for data, _ in out]))
        if self._held and not self._ending:
            self._held = False
            self._pump(b"")
            if self._eof and not self._held and not self._ending:
                self._end_of_input()
        self._end_if_idle()

    # ---- the end ----

    def _refuse(self, error: ProtocolError) -> None:
        """Say why it cannot go on, after the answers to what came before."""
        self._ending = self._refused = True
        self._queue(self._framing.refusal(error), ())

    def _end_if_idle(self) -> None:
        if not self._ending:
            return
        transport = self._transport
        if self._in_flight or self._out or transport is None:
            return
        if not self._refused or not transport.can_write_eof():
            transport.close()
        elif not transport.is_closing():
            transport.write_eof()
            self._stop_timer()
            self._timer = self._shared.loop.call_later(_LINGER, transport.abort)
            self._steer()

    # ---- timing and pausing ----

    def _time(self, *, restart: bool) -> None:
        """A message once begun must end in time; an idle connection may stay for ever."""
        if self._ending:
            return
        begun = self._buffered > 0 and not self._held
        if self._timer is not None and (restart or not begun):
            self._stop_timer()
        if begun and self._timer is None:
            seconds = self._shared.limits.message_seconds
            self._timer = self._shared.loop.call_later(seconds, self._too_slow, seconds)

    def _too_slow(self, seconds: float) -> None:
        self._timer = None
        if self._held or self._peer_is_slow:
            return
        self._refuse(LimitError("message begun {} s ago", "message_seconds", seconds, seconds))
        self._account()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _steer(self) -> None:
        deaf = (self._held or self._peer_is_slow) and not self._refused
        transport = self._transport
        if deaf == self._deaf or transport is None or transport.is_closing():
            return
        self._deaf = deaf
        if deaf:
            transport.pause_reading()
        else:
            transport.resume_reading()


def _undelivered(answers: Iterable[Answer], *, gone: bool) -> bool:
    """Tell of answers that must not get lost; whether their message is not to be written.

    A peer that sends no more looks like one that is gone, so nothing is entrusted to it.
    """
    deliveries = [answer for answer in answers if isinstance(answer, Delivery)]
    for answer in deliveries:
        answer.undelivered()
    return gone or bool(deliveries)


def _set_options(sock: socket.socket | None) -> None:
    """Find dead peers by keepalive; never wait to fill a segment."""
    if sock is None or sock.family not in {socket.AF_INET, socket.AF_INET6}:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 30), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
