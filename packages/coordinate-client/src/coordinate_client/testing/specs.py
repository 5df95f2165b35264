"""What the server in memory answers about work specs."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from coordinate_client.testing.arguments import Options
from coordinate_client.testing.memory import Memory
from coordinate_client.testing.records import SpecRecord, controls_of
from coordinate_client.testing.refusals import Unknown
from coordinate_client.testing.units import delete
from coordinate_protocol.codec import encode
from coordinate_protocol.constants import PAUSED, RUNNABLE
from coordinate_protocol.errors import shown
from coordinate_protocol.values import Encoded, as_text, text_keys

__all__ = ["SpecOperations"]

_CONTROLS = ("status", "continuous", "interval", "max_running", "weight")
# What a real server does for these, no unit's own code sees.
_NOT_HERE = ("continuous", "schedule", "rate", "uses", "fair_key", "serial_key")
_NUMBERS = {
    "interval": 0,
    "max_getwork": 1,
    "max_lost_leases": 1,
    "max_retries": 0,
    "max_running": 0,
    "min_gb": -float("inf"),
    "nice": -float("inf"),
    "priority": -float("inf"),
    "retry_backoff": 1,
    "retry_delay": 0,
    "retry_delay_max": 0,
    "retry_jitter": 0,
    "weight": 1,
}
_PLACE = ("name", "min_gb", "priority", "runtime", "then", "then_preempts")
_MOST = 2**63 - 1


class SpecOperations:
    """Work specs."""

    memory: Memory

    def set_work_spec(self, work_spec: object) -> tuple[bool, None]:
        """Create a spec, or define one anew; its units stay."""
        if not isinstance(work_spec, Mapping):
            raise ValueError(f"work_spec should be a map, not {shown(work_spec)}")
        definition = dict(text_keys(work_spec))
        _check(definition)
        name, controls = definition["name"], controls_of(definition)
        spec = self.memory.specs.setdefault(name, SpecRecord({}, {}))
        before = _place(spec)
        spec.definition, spec.controls = definition, controls
        self._replan(changed=before != _place(spec))
        return True, None

    def _replan(self, *, changed: bool) -> None:
        """Count shares from here on, where a spec's place among the others is another one."""
        for spec in self.memory.specs.values() if changed else ():
            spec.shares, spec.turn = Fraction(0), 0

    def get_work_spec(self, work_spec_name: object) -> dict[str, Any] | None:
        """The spec as it was set."""
        spec = self.memory.specs.get(as_text(work_spec_name))
        return None if spec is None else _shown(spec)

    def get_work_spec_meta(self, work_spec_name: object) -> tuple[Any, str | None]:
        """What controls the spec."""
        name = as_text(work_spec_name)
        if name not in self.memory.specs:
            return None, f"no such work spec {name}"
        return dict(self.memory.specs[name].controls), None

    def control_work_spec(self, work_spec_name: object, options: object) -> tuple[bool, str | None]:
        """Change what controls the spec."""
        read, name = Options.read(options, _CONTROLS), as_text(work_spec_name)
        if name not in self.memory.specs:
            return False, f"no such work spec {name}"
        if read.get("continuous"):
            return False, f"cannot make non-continuous work spec {name} continuous"
        if read.get("status", RUNNABLE) not in (RUNNABLE, PAUSED):
            return False, f"status should be {RUNNABLE} (runnable) or {PAUSED} (paused)"
        nulls = {key: None for key in ("interval", "max_running") if _is_null(options, key)}
        spec = self.memory.specs[name]
        before = _place(spec)
        spec.controls.update(read.given, **nulls)
        self._replan(changed=before != _place(spec))
        return True, None

    def list_work_specs(self, options: object = None) -> tuple[list[dict[str, Any]], str | None]:
        """The specs by name, in pages."""
        read = Options.read(options, ("limit", "start"))
        limit = int(read.number("limit", _MOST, 1))
        names = sorted(name for name in self.memory.specs if name >= read.get("start", ""))
        shown = [_shown(self.memory.specs[name]) for name in names[:limit]]
        return shown, names[limit] if limit < len(names) else None

    def del_work_spec(
        self, work_spec_name: object, options: object = None
    ) -> tuple[bool, str | None]:
        """Delete a spec and its units."""
        cascade = bool(Options.read(options, ("cascade",)).get("cascade"))
        spec = self.memory.spec(as_text(work_spec_name))
        delete(self.memory, list(spec.units.values()), cascade=cascade)
        del self.memory.specs[spec.name]
        self._replan(changed=True)
        return True, None

    def clear(self) -> int:
        """Delete all specs."""
        number = len(self.memory.specs)
        self.memory.specs.clear()
        return number


def _check(definition: Mapping[str, Any]) -> None:
    name = definition.get("name")
    if not isinstance(name, str) or not name:
        raise ValueError(f"name of a work spec should be text, not {shown(name)}")
    for field in _NOT_HERE:
        if definition.get(field):
            raise Unknown(f"set_work_spec with {field!r}")
    read = Options({field: value for field, value in definition.items() if value is not None})
    for field, least in _NUMBERS.items():
        read.number(field, None, least)


def _shown(spec: SpecRecord) -> dict[str, Any]:
    return {key: Encoded(encode(value)) for key, value in spec.definition.items()}


def _place(spec: SpecRecord) -> list[Any]:
    """What decides when it is a spec's turn."""
    said = [spec.definition.get(name) for name in _PLACE]
    return [*said, spec.controls.get("status"), spec.controls.get("weight")]


def _is_null(options: object, name: str) -> bool:
    return isinstance(options, Mapping) and name in options and options[name] is None
