"""The part of a flow's document that holds units: `{SPEC: {KEY: {data, priority, ...}}}`."""

import difflib
import math
from collections.abc import Collection, Mapping
from typing import Any

from coordinate_client.exceptions import ProgrammerError
from coordinate_client.flows.parts import Need, Unit, UnitName, called
from coordinate_client.paths import wire_locks
from coordinate_client.written_paths import read_path
from coordinate_protocol.codec import decode, encode
from coordinate_protocol.errors import ProtocolError, shown
from coordinate_protocol.limits import ANSWER_LIMITS
from coordinate_protocol.values import key_bytes

__all__ = ["nearest", "read_units", "unsendable"]

FIELDS = ("data", "priority", "delay", "locks", "depends_on")
NEED_FIELDS = ("spec", "key", "hard")
LOCK_FIELDS = ("path", "mode")
LOCK_FORMS = "a path as [index, 3] or /index/3, or {path: [index, 3], mode: shared}"
NEED_FORMS = "KEY, [SPEC, KEY], or {spec: SPEC, key: KEY, hard: false}"


def read_units(found: Any, specs: Collection[str], faults: list[str]) -> dict[UnitName, Unit]:
    """Read all units.

    Arguments:
        found: what the document has under `units`; None for nothing.
        specs: the names of the flow's specs.
        faults: gets a line for each thing that is wrong.

    Returns:
        The units that could be read, in the document's order.
    """
    units: dict[UnitName, Unit] = {}
    for spec, keys in _map("units", found, faults).items():
        if spec not in specs:
            faults.append(
                f"units of {spec!r}, which is no work spec of the flow{nearest(spec, specs)}"
            )
            continue
        for key, value in _map(f"units of {spec!r}", keys, faults).items():
            reader = _UnitReader((spec, key), faults)
            units[spec, key] = reader.unit(value)
    return units


def unsendable(value: Mapping[Any, Any]) -> tuple[Any, str] | None:
    """The first entry of a map that has no form on the wire, and why; None where all have one.

    A server reads no map keys but text, and no client reads what is nested deeper than answers are.
    """
    if _why_not(value) is None:
        return None
    for key, inner in value.items():
        why = _why_not({key: inner})
        if why is not None:
            return key, why
    return None


def nearest(name: object, known: Collection[str]) -> str:
    """The name that was perhaps meant, as the end of a message; nothing where none is near."""
    near = difflib.get_close_matches(str(name), sorted(known), 1)
    return f": did you mean {near[0]!r}?" if near else ""


def _why_not(value: Any) -> str | None:
    try:
        decode(encode(value), ANSWER_LIMITS)
    except ProtocolError as error:
        return str(error)
    return None


def _map(what: str, value: Any, faults: list[str]) -> Mapping[Any, Any]:
    """A map, where nothing at all is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        faults.append(f"{what}: {shown(value)} must be a map")
        return {}
    return value


class _UnitReader:
    """Reads one unit, and notes what is wrong with it by its name."""

    def __init__(self, name: UnitName, faults: list[str]) -> None:
        self.name = name
        self.faults = faults

    def fault(self, text: str) -> None:
        self.faults.append(f"work unit {called(self.name)}: {text}")

    def unit(self, value: Any) -> Unit:
        self._check_key()
        if value is not None and not isinstance(value, Mapping):
            self.fault(f"{shown(value)} must be a map with any of {', '.join(FIELDS)}")
            value = None
        fields: Mapping[Any, Any] = value or {}
        for field in fields:
            if field not in FIELDS:
                self.fault(f"unknown field {field!r}: it has {', '.join(FIELDS)}; the rest is data")
        return Unit(self.name, self._data(fields), self._options(fields), self._needs(fields))

    def _check_key(self) -> None:
        key: Any = self.name[1]
        if not isinstance(key, str):
            self.fault(f"its key is no text: write {str(key)!r}")
            return
        try:
            key_bytes(key)
        except ProtocolError as error:
            self.fault(str(error))

    def _data(self, fields: Mapping[Any, Any]) -> Mapping[str, Any]:
        data = fields.get("data")
        if data is None:
            return {}
        if not isinstance(data, Mapping):
            self.fault(f"data {shown(data)} must be a map")
            return {}
        found = unsendable(data)
        if found is not None:
            self.fault(f"data, at {found[0]!r}: {found[1]}")
        return data

    def _options(self, fields: Mapping[Any, Any]) -> dict[str, Any]:
        return self._numbers(fields) | self._locks(fields)

    def _locks(self, fields: Mapping[Any, Any]) -> dict[str, Any]:
        items = fields.get("locks")
        if items is None:
            return {}
        if not isinstance(items, list):
            self.fault(f"locks {shown(items)} must be a list; each item is {LOCK_FORMS}")
            return {}
        try:
            return {"locks": wire_locks([_lock(item) for item in items])}
        except (ProgrammerError, ValueError) as error:
            self.fault(f"locks: {error}")
            return {}

    def _numbers(self, fields: Mapping[Any, Any]) -> dict[str, float]:
        options = {name: fields[name] for name in ("priority", "delay") if name in fields}
        for name, value in options.items():
            if not _is_number(value):
                self.fault(f"{name} {shown(value)} must be a number")
            elif name == "delay" and value < 0:
                self.fault(f"delay {value!r} must be a number of seconds, 0 or more")
        return options

    def _needs(self, fields: Mapping[Any, Any]) -> tuple[Need, ...]:
        items = fields.get("depends_on")
        if items is None:
            return ()
        if not isinstance(items, list):
            self.fault(f"depends_on {shown(items)} must be a list; each item is {NEED_FORMS}")
            return ()
        needs: dict[UnitName, bool] = {}
        for item in items:
            need = self._need(item)
            if need is None:
                self.fault(f"depends_on item {shown(item)} must be {NEED_FORMS}")
            else:
                # Of two to the same unit the hard one counts, as on the server.
                needs[need.earlier] = needs.get(need.earlier, False) or need.hard
        return tuple(Need(earlier, hard) for earlier, hard in needs.items())

    def _need(self, item: Any) -> Need | None:
        match item:
            case str() as key:
                return Need((self.name[0], key))
            case [str() as spec, str() as key]:
                return Need((spec, key))
            case {"key": str() as key} if all(field in NEED_FIELDS for field in item):
                spec, hard = item.get("spec", self.name[0]), item.get("hard", True)
                if isinstance(spec, str) and isinstance(hard, bool):
                    return Need((spec, key), hard)
        return None


def _lock(item: Any) -> Any:
    """An item of locks as the client takes it: a path that is text is read.

    Raises:
        ValueError: it is none.
    """
    match item:
        case str():
            return read_path(item)
        case list():
            return item
        case {"path": path} if all(field in LOCK_FIELDS for field in item):
            return {**item, "path": read_path(path)} if isinstance(path, str) else item
    raise ValueError(f"item {shown(item)} must be {LOCK_FORMS}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
