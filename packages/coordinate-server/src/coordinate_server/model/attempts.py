"""Remembering how hand-outs of a unit ended."""

from coordinate_protocol.constants import FAILED, FINISHED, PENDING
from coordinate_server.model.calls import AttemptView
from coordinate_server.model.contents import traceback_text
from coordinate_server.model.history import ATTEMPTS_KEPT, TRACEBACK_KEPT
from coordinate_server.model.ledger import Ledger
from coordinate_server.model.unit import Unit

__all__ = ["attempts_of", "remember", "remember_last"]

_LAST = {PENDING: "pending", FINISHED: "finished", FAILED: "failed"}


def remember(ledger: Ledger, spec_key: bytes, unit: Unit, outcome: str, wall: float) -> None:
    """Keep the unit's last hand-out among its past ones, if it had one that is not kept yet.

    Arguments:
        ledger: where changes are noted.
        spec_key: what the rows of its spec begin with.
        unit: the unit, with everything still as the hand-out left it.
        outcome: how that ended.
        wall: when.
    """
    history = unit.history
    newest = history.attempts[-1].attempt if history and history.attempts else 0
    if unit.attempt <= newest:
        return
    attempts = unit.past().attempts
    attempts.append(_last(unit, outcome, wall))
    ledger.attempt(spec_key, unit.key, attempts[-1])
    if len(attempts) > ATTEMPTS_KEPT:
        ledger.forget_attempt(spec_key, unit.key, attempts.pop(0).attempt)


def remember_last(ledger: Ledger, spec_key: bytes, unit: Unit, wall: float) -> None:
    """Keep the last hand-out of a unit that is about to begin anew, however that ended."""
    ended = unit.ended if unit.ended is not None else wall
    outcome = {FINISHED: "finished", FAILED: "failed"}.get(unit.status, "replaced")
    remember(ledger, spec_key, unit, outcome, ended)


def attempts_of(unit: Unit) -> list[AttemptView]:
    """Give all remembered hand-outs of a unit, oldest first, the last one included."""
    past = list(unit.history.attempts) if unit.history else []
    if unit.attempt > (past[-1].attempt if past else 0):
        past.append(_last(unit, _LAST.get(unit.status, "replaced"), unit.ended))
    return past


def _last(unit: Unit, outcome: str, ended: float | None) -> AttemptView:
    failed = outcome == "failed"
    return AttemptView(
        attempt=unit.attempt,
        worker_id=unit.worker_id,
        began=unit.began,
        ended=ended,
        outcome=outcome,
        reason=unit.history.reason if failed and unit.history else None,
        traceback=traceback_text(unit.data, TRACEBACK_KEPT) if failed else None,
    )
