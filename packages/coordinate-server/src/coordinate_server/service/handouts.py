"""The operations of those who work: getting units, and saying what became of them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from coordinate_protocol.constants import DEFAULT_LEASE, MAX_LEASE, MAX_WAIT, MIN_LEASE
from coordinate_protocol.errors import shown
from coordinate_protocol.values import Encoded, key_bytes, key_value
from coordinate_server.model import Instant
from coordinate_server.model.calls import HandOut, UnitUpdate, WorkRequest
from coordinate_server.model.errors import ModelError, NoSuchSpec, NoSuchUnit, NotOwner, Refused
from coordinate_server.model.locks.sets import lock_set_value
from coordinate_server.service.arguments import Options, encoded, text
from coordinate_server.service.call import Call
from coordinate_server.service.units import no_spec, wall_time
from coordinate_server.service.waiting import Handed, Pending
from coordinate_server.service.waiting_line import Asker, WaitingLines

__all__ = ["HandoutCalls", "work_request"]

_UPDATES = frozenset({"get_work"})
_UPDATE = frozenset({"lease_time", "status", "data", "worker_id", "attempt", "delay"})
_ASK = frozenset({"max_jobs", "work_spec_names", "lease_time", "available_gb", "runtimes"})
_GET = _ASK | {"attempts", "wait"}
_NEXT = _ASK | {"worker_id"}
_UPDATES_MOST = _JOBS_MOST = 10_000
_NO_WORK = (None, None, None)
_STATUSES = (1, 2, 3, 4, 5, 6)
_TRIPLE = 3
_MOST_ATTEMPT = 2**63 - 1

_CODES: tuple[tuple[type[ModelError], str], ...] = (
    (NotOwner, "lost_lease"),
    (NoSuchSpec, "no_such_work_spec"),
    (NoSuchUnit, "no_such_work_unit"),
    (Refused, "refused"),
)

Pair = tuple[Any, str | None]


class HandoutCalls:
    """What workers call.

    Arguments:
        lines: who waits for work.
    """

    lines: WaitingLines

    def get_work(self, call: Call, worker_id: object, options: object) -> Handed | Pair | Pending:
        """Hand units out; gives ((spec, key, data), null), an array where more are asked for."""
        asker, wait = _asked(call, (worker_id, options), _read_get_work)
        found = self.lines.get_work(call.at, asker)
        if found or not wait:
            return _handed(asker, self.lines, found)
        waiting = self.lines.wait(call.at.now + wait, asker)
        return waiting.mapped(lambda found: self._awaited(asker, found))

    def _awaited(self, asker: Asker, found: list[HandOut] | Exception) -> Any:
        return found if isinstance(found, Exception) else _handed(asker, self.lines, found)

    def update_work_unit(
        self, call: Call, work_spec_name: object, work_unit_key: object, options: object
    ) -> Pair:
        """Renew, end, give back or change a unit; gives (true, null) or (false, why not)."""
        name, key = text(work_spec_name, "work_spec_name"), key_bytes(work_unit_key)
        read = Options.read(options, call, _UPDATE)
        update = _update(read)
        try:
            read.note(call.namespace.update_unit(call.at, name, key, update))
        except NoSuchSpec:
            return False, no_spec(name)
        except NoSuchUnit:
            return False, f"no such work unit key={key_value(key)!r}"
        except (NotOwner, Refused) as error:
            return False, str(error)
        return True, read.message

    def update_work_units(
        self, call: Call, updates: object, options: object = None
    ) -> Handed | tuple[Any, ...]:
        """Do as ``update_work_unit`` for many, and hand out what is next.

        Gives ([{done, code, message} ...], units or null, message or null).
        """
        read = Options.read(options, call, _UPDATES)
        planned = [_planned(item, call) for item in _array(updates)]
        wanted = read.given.get("get_work")
        asker = None if wanted is None else _asked(call, wanted, _read_next)[0]
        results = [_done(call, *update) for update in planned]
        if asker is None:
            return results, None, None
        found = self.lines.get_work(call.at, asker)
        units = [_unit(asker, unit, call.at) for unit in found]
        if not found:
            return results, units, asker.message
        undo = partial(self.lines.take_back, asker.namespace, found)
        return Handed((results, units, asker.message), undo, rest=(results, [], asker.message))


# ---- asking ----


_Asked = tuple[Asker, float]


def _asked(call: Call, said: Any, read: Callable[[Call, Any], _Asked]) -> _Asked:
    """Read what a worker asks for, and how long it waits; it mostly says the same each time."""
    place = (read, said)
    if call.asked is None or call.asked[0] != place:
        call.asked = place, read(call, said)
    found: _Asked = call.asked[1]
    return found


def _read_get_work(call: Call, said: tuple[object, object]) -> _Asked:
    worker_id, options = said
    read = Options.read(options, call, _GET)
    asker = _asker(call, worker_id, read, attempts=read.flag("attempts"))
    if call.namespace.settings.require_token and not asker.attempts:
        raise ValueError(
            "get_work needs the option attempts: true (setting: job_queue.require_token)"
        )
    return asker, read.number("wait", 0, 0, MAX_WAIT)


def _read_next(call: Call, said: object) -> _Asked:
    read = Options.read(said, call, _NEXT)
    if not read.has("worker_id"):
        raise ValueError("get_work should have a worker_id")
    return _asker(call, read.given["worker_id"], read, attempts=True), 0


def _asker(call: Call, worker_id: object, read: Options, *, attempts: bool) -> Asker:
    most = read.integer("max_jobs", 1, 1, _JOBS_MOST)
    lease = read.clamped("lease_time", DEFAULT_LEASE, MIN_LEASE, MAX_LEASE)
    request = work_request(read, most, lease)
    name = text(worker_id, "worker_id")
    return Asker(call.namespace, name, request, read.message, attempts=attempts)


def work_request(read: Options, most: int = 1, lease: float | None = None) -> WorkRequest:
    """Read what a worker accepts."""
    return WorkRequest(
        max_jobs=most,
        spec_names=read.names("work_spec_names") or None,
        lease_time=lease,
        available_gb=read.number("available_gb"),
        runtimes=read.names("runtimes"),
    )


def _handed(asker: Asker, lines: WaitingLines, found: Sequence[HandOut]) -> Handed | Pair:
    at = lines.clock.instant()
    units = [_unit(asker, unit, at) for unit in found]
    result = (units[0] if units else _NO_WORK) if asker.request.max_jobs == 1 else units
    if not found:
        return result, asker.message
    return Handed((result, asker.message), partial(lines.take_back, asker.namespace, found))


def _unit(asker: Asker, unit: HandOut, at: Instant) -> tuple[Any, ...]:
    handed = (unit.spec, key_value(unit.key), Encoded(unit.data))
    if not asker.attempts:
        return handed
    details = {"attempt": unit.attempt, "expires": wall_time(at, unit.deadline)}
    return *handed, details | ({"locks": lock_set_value(unit.locks)} if unit.locks else {})


# ---- saying what became of them ----


def _array(updates: object) -> Sequence[Any]:
    if not isinstance(updates, list | tuple) or len(updates) > _UPDATES_MOST:
        raise ValueError(
            f"updates should be an array of at most {_UPDATES_MOST}, not {shown(updates)}"
        )
    return updates


def _planned(item: object, call: Call) -> tuple[str, bytes, UnitUpdate, Options]:
    if not isinstance(item, list | tuple) or len(item) != _TRIPLE:
        raise ValueError(f"an update should be (spec, key, options), not {shown(item)}")
    read = Options.read(item[2], call, _UPDATE)
    return text(item[0], "work_spec_name"), key_bytes(item[1]), _update(read), read


def _update(read: Options) -> UnitUpdate:
    given = read.given
    return UnitUpdate(
        # Below zero gives the unit back at once, so only the upper end is moved.
        lease_time=read.clamped("lease_time", None, -float(MAX_LEASE), MAX_LEASE)
        if "lease_time" in given
        else None,
        status=_status(given["status"]) if "status" in given else None,
        data=encoded(given["data"]) if "data" in given else None,
        worker_id=read.name("worker_id"),
        attempt=read.integer("attempt", 0, 0, _MOST_ATTEMPT) if "attempt" in given else None,
        delay=read.number("delay", None, 0) if "delay" in given else None,
    )


def _status(value: object) -> int:
    if type(value) is not int or value not in _STATUSES:
        raise ValueError(f"status {shown(value)} is none of {list(_STATUSES)}")
    return value


def _done(call: Call, name: str, key: bytes, update: UnitUpdate, read: Options) -> dict[str, Any]:
    try:
        read.note(call.namespace.update_unit(call.at, name, key, update))
    except (NoSuchSpec, NoSuchUnit, NotOwner, Refused) as error:
        code = next(code for kind, code in _CODES if isinstance(error, kind))
        return {"done": False, "code": code, "message": str(error)}
    return {"done": True} if read.message is None else {"done": True, "message": read.message}
