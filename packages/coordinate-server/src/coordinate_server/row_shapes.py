"""Whether what a row says is of the kinds that the model writes.

Bytes that are damaged may still be CBOR, and say what the model would stumble over much later.
"""

from typing import Any, Final

from coordinate_protocol.constants import IDLE, PAUSED, RUN, RUNNABLE, STATUS_NAMES, TERMINATE
from coordinate_server.model.calls import AttemptView
from coordinate_server.model.history import History
from coordinate_server.model.locks.entries import EXCLUSIVE, SHARED
from coordinate_server.model.maker import Maker
from coordinate_server.model.spec import Spec
from coordinate_server.model.unit import Unit

__all__ = ["is_asked", "is_attempt", "is_spec", "is_unit", "is_worker"]

_MODES: Final = frozenset({RUN, IDLE, TERMINATE})
_LOCK_MODES: Final = frozenset({EXCLUSIVE, SHARED})


def is_unit(unit: Unit) -> bool:
    """Whether a unit is one that may be."""
    moments = (unit.deadline, unit.not_before, unit.ended, unit.began)
    return (
        _is_one_of(unit.status, STATUS_NAMES)
        and _is_number(unit.priority)
        and _is_count(unit.attempt)
        and _is_text(unit.worker_id)
        and all(map(_is_moment, moments))
        and (unit.history is None or _is_history(unit.history))
        and all(_is_one_of(mode, _LOCK_MODES) for _path, mode in unit.locks or ())
        and (unit.held is None or type(unit.held) is bytes)
    )


def _is_history(past: History) -> bool:
    texts = (past.reason, past.culprit, past.output_error, past.cancel)
    return _is_count(past.failures) and _is_count(past.lost) and all(map(_is_text, texts))


def is_attempt(key: object, attempt: AttemptView) -> bool:
    """Whether an attempt, and the key of its unit, may be."""
    texts = (attempt.worker_id, attempt.reason, attempt.traceback)
    return (
        type(key) is bytes
        and _is_count(attempt.attempt)
        and _is_name(attempt.outcome)
        and _is_moment(attempt.began)
        and _is_moment(attempt.ended)
        and all(map(_is_text, texts))
    )


def is_spec(namespace: object, spec: Spec, archived: dict[int, int], maker: Maker) -> bool:
    """Whether a spec, and what goes with it, may be."""
    moments = (spec.interval, maker.last, maker.next, maker.owed)
    return (
        _is_name(namespace)
        and _is_one_of(spec.status, (RUNNABLE, PAUSED))
        and _is_flag(spec.continuous)
        and _is_count(spec.weight)
        and (spec.max_running is None or _is_count(spec.max_running))
        and all(map(_is_moment, moments))
        and (maker.key is None or type(maker.key) is bytes)
        and all(_is_one_of(s, STATUS_NAMES) and _is_count(n) for s, n in archived.items())
    )


def is_worker(
    namespace: object,
    worker_id: object,
    mode: object,
    parent: object,
    heard: object,
    expiry: object,
    hosts: tuple[object, ...],
) -> bool:
    """Whether a worker may be."""
    texts = (namespace, worker_id, mode, *hosts)
    return (
        all(map(_is_name, texts)) and _is_text(parent) and _is_number(heard) and _is_moment(expiry)
    )


def is_asked(namespace: object, kind: object, name: object, mode: object) -> bool:
    """Whether a mode may be asked of somebody."""
    return all(map(_is_name, (namespace, kind, name))) and _is_one_of(mode, _MODES)


def _is_one_of(value: Any, known: Any) -> bool:
    return type(value) in {int, str} and value in known


def _is_number(value: object) -> bool:
    return type(value) in {int, float} and value == value  # noqa: PLR0124 - only NaN is not itself


def _is_moment(value: object) -> bool:
    return value is None or _is_number(value)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_flag(value: object) -> bool:
    return type(value) is bool


def _is_name(value: object) -> bool:
    return type(value) is str


def _is_text(value: object) -> bool:
    return value is None or type(value) is str
