"""What the server in memory knows of a work spec, and of a work unit."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from attrs import define, field

from coordinate_protocol.constants import (
    AVAILABLE,
    FAILED,
    FINISHED,
    PAUSED,
    PENDING,
    RUNNABLE,
    STANDARD,
)

__all__ = ["ENDED", "AttemptRecord", "SpecRecord", "UnitRecord", "controls_of"]

ENDED = frozenset({FINISHED, FAILED})
_WEIGHT = 20


@define
class AttemptRecord:
    """One hand-out of a unit; the names are those of the wire."""

    attempt: int
    worker_id: str | None
    began: float | None
    ended: float | None = None
    outcome: str = "pending"
    reason: str | None = None
    traceback: str | None = None


@define(eq=False)
class SpecRecord:
    """A work spec with its units.

    Args:
        definition: the map that it was set with.
        controls: what `control_work_spec` changes.
        units: its units by key.
        shares: how much it has had: hand-outs by weight.
        turn: the number of its latest turn among all specs.
        contends: whether it was among those that could have had the latest turn.
    """

    definition: Mapping[str, Any]
    controls: dict[str, Any]
    units: dict[bytes, "UnitRecord"] = field(factory=dict)
    shares: Fraction = Fraction(0)
    turn: int = 0
    contends: bool = False

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.definition["name"])

    def said(self, name: str, default: Any) -> Any:
        """What the definition says, or the default where it says nothing."""
        value = self.definition.get(name)
        return default if value is None else value

    @property
    def runs(self) -> bool:
        """Whether it is not paused."""
        return bool(self.controls["status"] == RUNNABLE)

    def in_status(self, status: int) -> list["UnitRecord"]:
        """Its units of one status."""
        return [unit for unit in self.units.values() if unit.status == status]

    def ready(self) -> list["UnitRecord"]:
        """The units that may run, in the order in which they do."""
        return sorted(self.in_status(AVAILABLE), key=lambda unit: (-unit.priority, unit.key))

    def room(self) -> float:
        """How many more units may be handed out now."""
        most = self.controls["max_running"]
        return float("inf") if most is None else max(0, most - len(self.in_status(PENDING)))


def controls_of(definition: Mapping[str, Any]) -> dict[str, Any]:
    """What `control_work_spec` changes, as a definition says it."""
    weight, nice = definition.get("weight"), definition.get("nice") or 0
    return {
        "status": PAUSED if definition.get("disabled") else RUNNABLE,
        "continuous": False,
        "interval": definition.get("interval"),
        "max_running": definition.get("max_running"),
        "weight": max(1, _WEIGHT - int(nice)) if weight is None else weight,
    }


@define(eq=False)
class UnitRecord:
    """A work unit.

    Args:
        spec: the spec it is of.
        key: its key.
        data: its data as CBOR.
        priority: higher runs first.
        status: its status.
        attempt: the number of its last hand-out; 0 for none.
        worker_id: who has it, or who ended it.
        deadline: when its lease ends; None unless it is pending. This and all other moments are
            seconds since 1970.
        not_before: when it may run; None for at once.
        began: when its last hand-out was.
        ended: when it ended.
        failures: how often it failed since it was added.
        lost: how many leases it lost since then.
        reason: why the server failed it.
        culprit: the unit whose failure failed it, as people name it; None if it was its own.
        output_error: what of its output made no unit.
        past: its earlier hand-outs, oldest first.
        needs: the units that it needs, and whether these have to finish.
        needed_by: the units that need it.
        told: how those were told that it has ended; 0 for not.
    """

    spec: SpecRecord
    key: bytes
    data: bytes
    priority: float = STANDARD
    status: int = AVAILABLE
    attempt: int = 0
    worker_id: str | None = None
    deadline: float | None = None
    not_before: float | None = None
    began: float | None = None
    ended: float | None = None
    failures: int = 0
    lost: int = 0
    reason: str | None = None
    culprit: str | None = None
    output_error: str | None = None
    past: list[AttemptRecord] = field(factory=list)
    needs: dict["UnitRecord", bool] = field(factory=dict)
    needed_by: dict["UnitRecord", None] = field(factory=dict)
    told: int = 0

    @property
    def end(self) -> int:
        """How it has ended; 0 if it has not."""
        return self.status if self.status in ENDED else 0

    @property
    def blocked_by(self) -> int:
        """How many of its needs keep it waiting, or from ever running."""
        unmet = [earlier for earlier in self.needs if not earlier.told]
        broken = [one for one, hard in self.needs.items() if hard and one.told == FAILED]
        return len(unmet) + len(broken)

    def free(self) -> None:
        """Forget whose it is, when it ended and what it waits for."""
        self.worker_id = self.deadline = self.not_before = self.ended = None

    def forget_past(self) -> None:
        """Forget why it ended and how often it failed; earlier hand-outs stay."""
        self.failures = self.lost = 0
        self.reason = self.culprit = self.output_error = None
