"""LockService: locks on a tree of paths, as 0.1.5's clients know it, and beyond that."""

from collections.abc import Callable
from functools import partial
from typing import Any

from attrs import define, field

from coordinate_server.model import Model, Namespace
from coordinate_server.model.errors import Refused
from coordinate_server.model.locks import (
    Denied,
    Granted,
    LockRequest,
    Locks,
    LockWait,
    LockWatch,
)
from coordinate_server.model.locks.paths import path_of, path_value
from coordinate_server.service import lock_arguments as arguments
from coordinate_server.service.arguments import Options, text
from coordinate_server.service.call import Call
from coordinate_server.service.clock import Clock
from coordinate_server.service.offers import Offer, declared
from coordinate_server.service.waiting import Handed, Pending

__all__ = ["LockService"]

_LOCK = frozenset({"mode", "wait", "reentrant", "grant"})
_SOME = frozenset({"mode", "reentrant", "grant"})
_RENEW = frozenset({"token", "wait"})
_TOKEN = frozenset({"token"})
_LIST = frozenset({"path", "limit", "start"})
_LIST_DEFAULT, _LIST_MOST = 1000, 10_000

Pair = tuple[bool, str | None]
Later = Handed | Pending


@define(eq=False)
class _Asked:
    """Who wants locks, and how the answer looks.

    Arguments:
        namespace: where.
        request: what is wanted.
        message: what was changed about that, for people.
        grant: whether the answer is a map that tells about the grant.
    """

    namespace: Namespace
    request: LockRequest
    message: str | None
    grant: bool


@define(eq=False)
class LockService:
    """The operations of the catalogue's service ``locks``.

    Arguments:
        model: tells which of those who wait have an outcome.
        clock: gives the moment.
        changed: called when something has changed that nobody is answered for at once.
    """

    model: Model
    clock: Clock
    changed: Callable[[], None]
    title: str = field(default="LockService", init=False)
    _waiting: dict[LockWait | LockWatch, Callable[[], None]] = field(factory=dict, init=False)

    def offers(self) -> dict[str, Offer]:
        """Its operations by name."""
        return declared(self, "locks")

    def serve(self) -> None:
        """Answer those whose wait is over."""
        for wait in self.model.take_settled():
            answer = self._waiting.pop(wait, None)
            if answer is not None:
                answer()

    # ---- locking ----

    def lock(
        self,
        call: Call,
        locker_id: object,
        timeout: object,
        paths: object,
        options: object = None,
    ) -> Pair | dict[str, Any] | Later:
        """Lock all of the paths, or none; gives (true, null) or (false, why not), or a map."""
        read = Options.read(options, call, _LOCK)
        request = arguments.request(call, locker_id, timeout, paths, read)
        asked = _Asked(call.namespace, request, read.message, read.flag("grant"))
        try:
            outcome = call.namespace.locks.lock(call.at, request)
        except Refused as error:
            return _refusal(asked, str(error))
        if isinstance(outcome, LockWait):
            return self._wait(asked, outcome)
        return self._answer(asked, outcome)

    def _wait(self, asked: _Asked, wait: LockWait) -> Pending:
        def cancel() -> None:
            self._waiting.pop(wait, None)
            asked.namespace.locks.cancel(self.clock.instant(), wait)
            self.changed()

        def expire() -> None:
            asked.namespace.locks.give_up(self.clock.instant(), wait)
            self.serve()
            self.changed()

        def answer() -> None:
            if wait.outcome is not None:
                pending.settle(self._answer(asked, wait.outcome))

        pending = Pending(cancel, expire)
        self._waiting[wait] = answer
        # So that its end is planned for.
        self.changed()
        return pending

    def _answer(self, asked: _Asked, outcome: Granted | Denied) -> Pair | dict[str, Any] | Handed:
        if isinstance(outcome, Denied):
            why = _both(outcome.text, asked)
            return arguments.denial(outcome, why) if asked.grant else (False, why)
        at = self.clock.instant()
        said: Any = (True, asked.message)
        if asked.grant:
            said = arguments.grant(outcome, at, asked.message)
        # Whoever would wait is gone without a trace if it is gone before it knows.
        return Handed(said, partial(self._undo, asked, outcome)) if asked.request.wait else said

    def _undo(self, asked: _Asked, granted: Granted) -> None:
        asked.namespace.locks.give_back(self.clock.instant(), asked.request, granted)
        self.changed()

    def locksome(
        self,
        call: Call,
        locker_id: object,
        timeout: object,
        paths: object,
        options: object = None,
    ) -> tuple[list[Any], str | None] | dict[str, Any]:
        """Lock as many of the paths as are free; gives ([path or null ...], message), or a map."""
        read = Options.read(options, call, _SOME)
        request = arguments.request(call, locker_id, timeout, paths, read)
        some = call.namespace.locks.lock_some(call.at, request)
        given = arguments.as_sent(paths, some.locked)
        if not read.flag("grant"):
            return given, read.message
        return arguments.some_granted(given, some, call.at, read.message)

    # ---- keeping and releasing ----

    def renew(
        self,
        call: Call,
        locker_id: object,
        timeout: object,
        paths: object,
        options: object = None,
    ) -> Pair | Pending:
        """Keep all of the locks for longer, or none; gives (true, null) or (false, why not)."""
        read = Options.read(options, call, _RENEW)
        locker, seconds = text(locker_id, "locker_id"), arguments.seconds(timeout, read)
        wanted, wait = arguments.path_list(paths, call), arguments.wait(read)
        locks = call.namespace.locks
        try:
            entries = locks.renew(call.at, locker, seconds, wanted, arguments.token(read))
        except Refused as error:
            return False, str(error)
        if not wait:
            return True, read.message
        return self._watch(locks, locks.watch(call.at, entries, wait), read.message)

    def _watch(self, locks: Locks, watch: LockWatch, message: str | None) -> Pending:
        def stop() -> None:
            self._waiting.pop(watch, None)
            watch.stop()

        def expire() -> None:
            watch.end(locks)
            self.serve()

        def answer() -> None:
            kept = watch.lost is None
            pending.settle((kept, message if kept else watch.lost))

        pending = Pending(stop, expire)
        self._waiting[watch] = answer
        self.changed()
        return pending

    def unlock(self, call: Call, locker_id: object, paths: object, options: object = None) -> Pair:
        """Release all of the locks, or none; gives (true, null) or (false, why not)."""
        read = Options.read(options, call, _TOKEN)
        locker, wanted = text(locker_id, "locker_id"), arguments.path_list(paths, call)
        try:
            call.namespace.locks.unlock(call.at, locker, wanted, arguments.token(read))
        except Refused as error:
            return False, str(error)
        return True, None

    def force_unlock(self, call: Call, paths: object, options: object = None) -> int:
        """Release locks, whosever they are; gives how many there were."""
        read = Options.read(options, call, _TOKEN)
        wanted = arguments.path_list(paths, call)
        return call.namespace.locks.force(call.at, wanted, arguments.token(read))

    def delete_namespace(self, call: Call, namespace: object) -> int:
        """Release every lock whose path begins with a part; gives how many there were."""
        most_bytes = call.namespace.settings.key_bytes
        return call.namespace.locks.drop_below(call.at, path_of([namespace], most_bytes))

    # ---- reading ----

    def readlock(self, call: Call, paths: object) -> list[str | None]:
        """Give who has each path, null for nobody."""
        return call.namespace.locks.read(call.at, arguments.path_list(paths, call))

    def list_locks(
        self, call: Call, options: object = None
    ) -> tuple[list[dict[str, Any]], list[Any] | None]:
        """Give ([what there is to know of each lock], where the next page begins or null)."""
        read = Options.read(options, call, _LIST)
        most_bytes = call.namespace.settings.key_bytes
        under = path_of(read.given.get("path", ()), most_bytes, empty=True)
        start = path_of(read.given.get("start", ()), most_bytes, empty=True)
        limit = read.integer("limit", _LIST_DEFAULT, 1, _LIST_MOST)
        found, following = call.namespace.locks.list(call.at, under, limit, start)
        shown = [arguments.shown_lock(view, call.at) for view in found]
        return shown, None if following is None else path_value(following)


def _refusal(asked: _Asked, why: str) -> Pair | dict[str, Any]:
    if asked.grant:
        return {"granted": False, "code": "refused", "message": why}
    return False, why


def _both(why: str, asked: _Asked) -> str:
    return why if asked.message is None else f"{why}; {asked.message}"
