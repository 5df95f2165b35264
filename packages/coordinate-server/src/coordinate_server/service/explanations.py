"""The operations that tell why something does not run, and what became of a unit before."""

from typing import Any

from coordinate_protocol.values import key_bytes, key_value
from coordinate_server.model.calls import AttemptView, SpecPlace
from coordinate_server.model.errors import NoSuchSpec, NoSuchUnit
from coordinate_server.model.reasons import Reason
from coordinate_server.service.arguments import Options, text
from coordinate_server.service.call import Call
from coordinate_server.service.handouts import work_request
from coordinate_server.service.units import no_spec, wall_time

__all__ = ["ExplainCalls"]

_WORKER = frozenset({"work_spec_names", "available_gb", "runtimes", "max_jobs", "lease_time"})

Pair = tuple[Any, str | None]


class ExplainCalls:
    """Explanations, from the scheduler's own checks."""

    def get_work_unit_attempts(
        self, call: Call, work_spec_name: object, work_unit_key: object
    ) -> Pair:
        """Give ([each hand-out that is remembered], null) or (null, why not)."""
        name, key = text(work_spec_name, "work_spec_name"), key_bytes(work_unit_key)
        try:
            attempts = call.namespace.unit_attempts(call.at, name, key)
        except NoSuchSpec:
            return None, no_spec(name)
        except NoSuchUnit:
            return None, _no_unit(key)
        return [_attempt(attempt) for attempt in attempts], None

    def explain_work_unit(self, call: Call, work_spec_name: object, work_unit_key: object) -> Pair:
        """Give ({status, text, reasons}, null) or (null, why not)."""
        name, key = text(work_spec_name, "work_spec_name"), key_bytes(work_unit_key)
        try:
            found = call.namespace.explain_unit(call.at, name, key)
        except NoSuchSpec:
            return None, no_spec(name)
        except NoSuchUnit:
            return None, _no_unit(key)
        reasons = _reasons(found.reasons)
        return {"status": found.status, "text": found.text, "reasons": reasons}, None

    def explain_work_spec(self, call: Call, work_spec_name: object) -> Pair:
        """Give ({text, counts, reasons}, null) or (null, why not)."""
        name = text(work_spec_name, "work_spec_name")
        try:
            found = call.namespace.explain_spec(call.at, name)
        except NoSuchSpec:
            return None, no_spec(name)
        reasons = _reasons(found.reasons)
        return {"text": found.text, "counts": dict(found.counts), "reasons": reasons}, None

    def explain_worker(self, call: Call, worker_id: object, options: object = None) -> Pair:
        """Give ({text, would_get, holds, specs}, null)."""
        name = text(worker_id, "worker_id")
        request = work_request(Options.read(options, call, _WORKER))
        found = call.namespace.explain_worker(call.at, name, request)
        key = None if found.key is None else key_value(found.key)
        would_get = {"work_spec_name": found.spec, "work_unit_key": key}
        holds = [
            {
                "work_spec_name": spec,
                "work_unit_key": key_value(held),
                "expires": wall_time(call.at, deadline),
            }
            for spec, held, deadline in found.holds
        ]
        return {
            "text": found.text,
            "would_get": None if found.spec is None else would_get,
            "holds": holds,
            "specs": [_place(place) for place in found.specs],
        }, None


def _no_unit(key: bytes) -> str:
    return f"no such work unit key={key_value(key)!r}"


def _attempt(attempt: AttemptView) -> dict[str, Any]:
    said: dict[str, Any] = {
        "attempt": attempt.attempt,
        "worker_id": attempt.worker_id,
        "began": attempt.began,
        "outcome": attempt.outcome,
    }
    more = {
        "ended": attempt.ended,
        "reason": attempt.reason,
        "traceback": attempt.traceback,
    }
    return said | {name: value for name, value in more.items() if value is not None}


def _place(place: SpecPlace) -> dict[str, Any]:
    said = {"work_spec_name": place.spec, "reasons": _reasons(place.reasons)}
    return said if place.place is None else said | {"place": place.place}


def _reasons(reasons: tuple[Reason, ...]) -> list[dict[str, Any]]:
    return [
        {"code": reason.code, "text": reason.text, **_wired(reason.details)} for reason in reasons
    ]


def _wired(value: Any) -> Any:
    """Give details with keys of units as the wire has them."""
    if isinstance(value, bytes):
        return key_value(value)
    if isinstance(value, list | tuple):
        return [_wired(item) for item in value]
    if hasattr(value, "items"):
        return {name: _wired(item) for name, item in value.items()}
    return value
