"""The operations on workers."""

from collections.abc import Mapping
from typing import Any

from coordinate_protocol.codec import decode, encode
from coordinate_protocol.limits import Limits
from coordinate_protocol.values import Encoded, key_value
from coordinate_server.model.calls import HeldUnit
from coordinate_server.model.errors import ModelError
from coordinate_server.service.arguments import Options, text
from coordinate_server.service.call import Call
from coordinate_server.service.orders import lost_units
from coordinate_server.service.units import wall_time

__all__ = ["WorkerCalls"]

_UNREGISTER = frozenset({"release", "lost"})


class WorkerCalls:
    """Workers: who is there, in which mode, with what at hand."""

    limits: Limits

    def worker_unregister(
        self, call: Call, worker_id: object, options: object = None
    ) -> tuple[bool, str | None]:
        """Forget a worker; gives (true, null) or (false, why not)."""
        name, read = text(worker_id, "worker_id"), Options.read(options, call, _UNREGISTER)
        lost = lost_units(read)
        try:
            if read.flag("release"):
                known = call.namespace.release(call.at, name, lost)
            else:
                known = call.namespace.unregister(call.at, name)
        except ModelError as error:
            return False, str(error)
        return (False, f"no worker {name!r}") if known is False else (True, None)

    def list_worker_modes(self, call: Call) -> tuple[dict[str, str], None]:
        """Give ({worker id: mode}, null)."""
        return dict(call.namespace.worker_modes(call.at)), None

    def get_worker_info(self, call: Call, worker_id: object) -> tuple[dict[Any, Any] | None, None]:
        """Give (what its last heartbeat said, with age_seconds, or null; null)."""
        info = call.namespace.worker_info(call.at, text(worker_id, "worker_id"))
        if info is None:
            return None, None
        said = decode(info.data, self.limits)
        shown: dict[Any, Any] = {}
        if isinstance(said, Mapping):
            shown = {key: Encoded(encode(value)) for key, value in said.items()}
        if info.packages is not None:
            shown["packages"] = Encoded(info.packages)
        return shown | {"age_seconds": call.at.now - info.heard}, None

    def mode_counts(self, call: Call) -> tuple[dict[str, int], None]:
        """Give ({mode: how many}, null)."""
        return dict(call.namespace.mode_counts(call.at)), None

    def get_child_work_units(
        self, call: Call, worker_id: object
    ) -> tuple[dict[str, list[dict[str, Any]]], None]:
        """Give ({child: what it holds}, null)."""
        children = call.namespace.child_units(call.at, text(worker_id, "worker_id"))
        return {
            child: [_held(call, unit) for unit in units] for child, units in children.items()
        }, None

    def worker_stats(self, call: Call) -> dict[str, int]:
        """Give {num_workers, num_children, num_expirable}."""
        return dict(call.namespace.worker_stats(call.at))


def _held(call: Call, unit: HeldUnit) -> dict[str, Any]:
    return {
        "work_spec_name": unit.spec,
        "work_unit_key": key_value(unit.key),
        "work_unit_data": Encoded(unit.data),
        "worker_id": unit.worker_id,
        "expires": wall_time(call.at, unit.deadline),
    }
