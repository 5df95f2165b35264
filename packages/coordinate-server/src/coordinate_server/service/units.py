"""The operations on work units, apart from handing them out."""

from collections.abc import Sequence
from typing import Any

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.constants import (
    AVAILABLE,
    DELAYED,
)
from coordinate_protocol.errors import shown
from coordinate_protocol.limits import Limits
from coordinate_protocol.values import Encoded, key_bytes, key_value
from coordinate_server.model.calls import NewUnit, UnitView
from coordinate_server.model.errors import NoSuchSpec, NotAdded, Refused
from coordinate_server.model.instant import Instant
from coordinate_server.model.locks.sets import lock_set_of, lock_set_value
from coordinate_server.service.arguments import Options, encoded, key_list, text
from coordinate_server.service.call import Call
from coordinate_server.service.edges import need

__all__ = ["UnitCalls", "no_spec", "wall_time"]

_UNIT = frozenset({"priority", "delay", "depends_on", "locks"})
_LIST = frozenset({"work_unit_keys", "state", "limit", "start"})
_PRIORITIZE = frozenset({"work_unit_keys", "priority", "adjustment"})
_DELETE = frozenset({"all", "work_unit_keys", "state", "cascade"})
_LIST_DEFAULT, _LIST_MOST = 1000, 10_000

Pair = tuple[Any, str | None]


class UnitCalls:
    """Work units: the jobs of a spec.

    Arguments:
        limits: bounds on what was stored and is decoded again.
    """

    limits: Limits

    def add_work_units(
        self, call: Call, work_spec_name: object, work_unit_key_vals: object
    ) -> Pair:
        """Add units, or replace them; gives (true, null) or (false, why not)."""
        name = text(work_spec_name, "work_spec_name")
        if not isinstance(work_unit_key_vals, list | tuple):
            raise ValueError(f"units should be an array, not {shown(work_unit_key_vals)}")
        units = [_new_unit(item, call) for item in work_unit_key_vals]
        try:
            call.namespace.add_units(call.at, name, units)
        except NoSuchSpec:
            return False, no_spec(name)
        except NotAdded as error:
            return False, str(error)
        return True, None

    def count_work_units(self, call: Call, work_spec_name: object) -> Pair:
        """Give ({status: how many}, null) or (false, why not)."""
        name = text(work_spec_name, "work_spec_name")
        try:
            counts = dict(call.namespace.count_units(call.at, name))
        except NoSuchSpec:
            return False, no_spec(name)
        if not call.greeted and DELAYED in counts:
            counts[AVAILABLE] = counts.get(AVAILABLE, 0) + counts.pop(DELAYED)
        return counts, None

    def get_work_units(self, call: Call, work_spec_name: object, options: object) -> Pair:
        """Give ([(key, data) ...], null) or (null, why not)."""
        name = text(work_spec_name, "work_spec_name")
        read = Options.read(options, call, _LIST)
        keys, states = read.keys("work_unit_keys"), read.states("state", call)
        limit = int(read.clamped("limit", _LIST_DEFAULT, 0, _LIST_MOST))
        try:
            found: Sequence[tuple[bytes, bytes | None]]
            if keys is not None:
                found = call.namespace.units_by_key(call.at, name, keys)
            else:
                start = read.key("start")
                found = call.namespace.list_units(call.at, name, states, limit, start)
        except NoSuchSpec:
            return None, no_spec(name)
        return [(key_value(key), _data(data)) for key, data in found], read.message

    def get_work_unit_status(
        self, call: Call, work_spec_name: object, work_unit_keys: object
    ) -> Pair:
        """Give ([status of each unit, null for a missing one], null) or (null, why not)."""
        name = text(work_spec_name, "work_spec_name")
        keys = key_list(work_unit_keys)
        try:
            found = call.namespace.unit_status(call.at, name, keys)
        except NoSuchSpec:
            return None, no_spec(name)
        return [None if unit is None else self._status(call, unit) for unit in found], None

    def prioritize_work_units(self, call: Call, work_spec_name: object, options: object) -> Pair:
        """Set or move priorities; gives (true, null) or (false, why not)."""
        name = text(work_spec_name, "work_spec_name")
        read = Options.read(options, call, _PRIORITIZE)
        keys = read.keys("work_unit_keys")
        priority, adjustment = read.number("priority"), read.number("adjustment")
        if call.namespace.spec(name) is None:
            return False, no_spec(name)
        if keys is None:
            return False, "missing work_unit_keys"
        call.namespace.prioritize_units(call.at, name, keys, priority, adjustment)
        return True, None

    def del_work_units(self, call: Call, work_spec_name: object, options: object) -> Pair:
        """Delete units; gives (how many, null) or (0, why not)."""
        name = text(work_spec_name, "work_spec_name")
        read = Options.read(options, call, _DELETE)
        everything = read.flag("all")
        keys, states = read.keys("work_unit_keys"), read.states("state", call)
        if call.namespace.spec(name) is None:
            return 0, no_spec(name)
        if not everything and keys is None and states is None:
            return 0, "no usable options to del_work_units"
        if everything:
            keys = states = None
        cascade = read.flag("cascade")
        try:
            gone = call.namespace.delete_units(
                call.at, name, keys, states, everything, cascade=cascade
            )
        except Refused as error:
            return 0, str(error)
        return gone, None

    def _status(self, call: Call, unit: UnitView) -> dict[str, Any]:
        hidden = unit.status == DELAYED and not call.greeted
        status: dict[str, Any] = {"status": AVAILABLE if hidden else unit.status}
        status["expiration"] = _expiration(call.at, unit)
        if unit.worker_id:
            status["worker_id"] = unit.worker_id
        traceback = self._traceback(unit.data)
        if traceback is not None:
            status["traceback"] = traceback
        return status | _past(unit) | _needs(unit) | _locks(unit) if call.greeted else status

    def _traceback(self, data: bytes | None) -> Encoded | None:
        # The word is in the bytes as it is, so most data need not be decoded.
        if not data or b"traceback" not in data:
            return None
        value = decode(data, self.limits)
        found = value.get("traceback") if isinstance(value, dict) else None
        return None if found is None else Encoded(encode(found))


def wall_time(at: Instant, deadline: float) -> float:
    """Give a moment of the model's ``now`` in seconds since 1970, as the wire has it."""
    return at.wall + (deadline - at.now)


def _expiration(at: Instant, unit: UnitView) -> float | None:
    if unit.deadline is not None:
        return wall_time(at, unit.deadline)
    return unit.ended


def _past(unit: UnitView) -> dict[str, Any]:
    """Say what there is to say of how a unit fared; nothing of one that fared well."""
    said = {
        "failures": unit.failures or None,
        "lost_leases": unit.lost_leases or None,
        "reason": unit.reason,
        "output_error": unit.output_error,
        "cancel": unit.cancel,
    }
    return {name: value for name, value in said.items() if value is not None}


def _needs(unit: UnitView) -> dict[str, Any]:
    if not unit.needs_count:
        return {}
    needs = [
        {
            "work_spec_name": need.spec,
            "work_unit_key": key_value(need.key),
            "hard": need.hard,
            "status": need.status,
        }
        for need in unit.needs
    ]
    return {"depends_on": needs, "depends_on_count": unit.needs_count, "blocked_by": unit.unmet}


def _locks(unit: UnitView) -> dict[str, Any]:
    return {"locks": lock_set_value(unit.locks)} if unit.locks else {}


def _new_unit(item: object, call: Call) -> NewUnit:
    if not isinstance(item, list | tuple) or not 2 <= len(item) <= 4:  # noqa: PLR2004 - the shape below
        raise ValueError(f"a unit should be (key, data) or (key, data, options), not {shown(item)}")
    if len(item) == 2:  # noqa: PLR2004 - the shape above
        return NewUnit(key_bytes(item[0]), encoded(item[1]))
    read = Options.read(item[2] if len(item) > 2 else None, call, _UNIT)  # noqa: PLR2004 - the same
    priority = read.number("priority")
    if len(item) == 4 and item[3] is not None:  # noqa: PLR2004 - 0.1.5: a priority in fourth place wins
        priority = Options({"priority": item[3]}).number("priority")
    delay = read.number("delay", None, 0)
    needs = tuple(need(said) for said in read.array("depends_on"))
    locks = None
    if read.has("locks"):
        locks = lock_set_of(read.given["locks"], call.namespace.settings.key_bytes)
    return NewUnit(key_bytes(item[0]), encoded(item[1]), priority, delay, needs, locks)


def _data(data: bytes | None) -> Encoded | None:
    return None if data is None else Encoded(data)


def no_spec(name: str) -> str:
    """Say that there is no such spec, as 0.1.5 does."""
    return f"no such work_spec {name!r}"
