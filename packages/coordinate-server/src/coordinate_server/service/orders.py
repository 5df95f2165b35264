"""The operations by which people ask something of workers, and see all of these."""

from typing import Any, Final

from coordinate_protocol.errors import shown
from coordinate_protocol.values import Encoded, key_bytes, key_value
from coordinate_server.model.errors import NoSuchSpec, Refused
from coordinate_server.model.modes import EVERYONE, HOST, WORKER
from coordinate_server.model.order_views import HeldView, WorkerState
from coordinate_server.service.arguments import Options, key_list, name_list, text
from coordinate_server.service.call import Call
from coordinate_server.service.units import no_spec

__all__ = ["OrderCalls", "lost_units"]

_MODE_OPTIONS: Final = frozenset({"worker_ids", "hosts", "all"})
_CANCEL_OPTIONS: Final = frozenset({"reason", "now"})
_LIST_OPTIONS: Final = frozenset({"limit", "start", "host", "worker_ids"})
_MOST_UNITS = _MOST_NAMES = 10_000
_DEFAULT_LIMIT, _MOST_WORKERS = 100, 1000


class OrderCalls:
    """What is asked of workers."""

    def set_mode(self, call: Call, mode: object, options: object) -> tuple[int, None]:
        """Ask workers to run, to take no more work or to end; gives (how many it is, null)."""
        read = Options.read(options, call, _MODE_OPTIONS)
        workers = _bounded("worker_ids", read.names("worker_ids") or [])
        hosts = _bounded("hosts", read.names("hosts") or [])
        if not (workers or hosts or read.flag("all")):
            raise ValueError("set_mode needs one of the options worker_ids, hosts, all: true")
        try:
            number = call.namespace.set_modes(
                call.at, text(mode, "mode"), workers, hosts, everyone=read.flag("all")
            )
        except Refused as error:
            raise ValueError(str(error)) from error
        return number, None

    def list_asked_modes(self, call: Call) -> tuple[dict[str, Any], None]:
        """Give ({all: mode or null, hosts: {host: mode}, workers: {worker: mode}}, null)."""
        asked = call.namespace.asked_modes(call.at)
        by_kind: dict[str, dict[str, str]] = {HOST: {}, WORKER: {}, EVERYONE[0]: {}}
        for (kind, name), mode in sorted(asked.items()):
            by_kind[kind][name] = mode
        return {
            "all": asked.get(EVERYONE),
            "hosts": by_kind[HOST],
            "workers": by_kind[WORKER],
        }, None

    def request_packages(self, call: Call, worker_ids: object) -> tuple[int, None]:
        """Ask workers to say what is installed; gives (how many are there, null)."""
        names = _bounded("worker_ids", name_list(worker_ids, "worker_ids"))
        return call.namespace.request_packages(call.at, names), None

    def cancel_work_units(
        self, call: Call, work_spec_name: object, work_unit_keys: object, options: object = None
    ) -> tuple[list[str] | None, str | None]:
        """End units; gives (what became of each, null) or (null, why not)."""
        name = text(work_spec_name, "work_spec_name")
        read = Options.read(options, call, _CANCEL_OPTIONS)
        keys = key_list(work_unit_keys)
        if len(keys) > _MOST_UNITS:
            raise ValueError(f"work_unit_keys should be at most {_MOST_UNITS}, not {len(keys)}")
        reason, now = read.name("reason"), read.flag("now")
        try:
            return call.namespace.cancel_units(call.at, name, keys, reason, now=now), None
        except NoSuchSpec:
            return None, no_spec(name)

    def list_workers(
        self, call: Call, options: object = None
    ) -> tuple[list[dict[str, Any]], str | None]:
        """Give ([worker ...], the name of the next one or null)."""
        read = Options.read(options, call, _LIST_OPTIONS)
        names = read.names("worker_ids")
        states, following = call.namespace.list_workers(
            call.at,
            read.name("start"),
            read.integer("limit", _DEFAULT_LIMIT, 1, _MOST_WORKERS),
            None if names is None else _bounded("worker_ids", names),
            read.name("host"),
        )
        return [_worker(call, state) for state in states], following


def _bounded(what: str, names: list[str]) -> list[str]:
    if len(names) > _MOST_NAMES:
        raise ValueError(f"{what} should be at most {_MOST_NAMES} names, not {len(names)}")
    return names


def lost_units(read: Options) -> list[tuple[str, bytes]]:
    """Read the option ``lost``: (spec, key) of units."""
    return [_unit(item) for item in read.array("lost")]


def _unit(item: object) -> tuple[str, bytes]:
    if not isinstance(item, list | tuple) or len(item) != len(("spec", "key")):
        raise ValueError(f"lost should have (spec, key) of units, not {shown(item)}")
    return text(item[0], "work_spec_name"), key_bytes(item[1])


def _worker(call: Call, state: WorkerState) -> dict[str, Any]:
    view = state.view
    found: dict[str, Any] = {
        "worker_id": view.worker_id,
        "mode": view.mode,
        "asked": state.asked,
        "age_seconds": call.at.now - view.heard,
        "data": Encoded(view.data),
        "units": [_held(call, unit) for unit in state.units],
        "units_count": state.count,
    }
    expires = None if view.expiry is None else view.expiry - call.at.now
    more = {"parent": view.parent, "host": state.host, "expires_in": expires}
    return found | {name: value for name, value in more.items() if value is not None}


def _held(call: Call, unit: HeldView) -> dict[str, Any]:
    found: dict[str, Any] = {
        "work_spec_name": unit.spec,
        "work_unit_key": key_value(unit.key),
        "attempt": unit.attempt,
        "lease_left": None if unit.deadline is None else unit.deadline - call.at.now,
    }
    since = None if unit.began is None else max(0.0, call.at.wall - unit.began)
    more = {"since": since, "cancel": unit.cancel}
    return found | {name: value for name, value in more.items() if value is not None}
