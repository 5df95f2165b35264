"""From what was recorded of locks to the operations that the search puts in order."""

import itertools
from collections.abc import Iterable, Iterator

from tests.histories import lock_model
from tests.histories.events import NEVER, Call
from tests.histories.linearizability import Operation, Step
from tests.histories.lock_calls import as_path, may_be_taken_back, paths_of, token_of, waits_until

_LATE = 0.5
"""Seconds by which a wait may be found over before what was freed meanwhile is handed on."""

Told = tuple[tuple, str, int | None]
"""Path, locker and token of a lock that somebody saw."""


def operations_of(calls: list[Call], looks: list[Call], paths: frozenset[tuple]) -> list[Operation]:
    """Give an operation for each call about some connected paths.

    Arguments:
        calls: those that change something, and are about these paths only.
        looks: all that read, and all that may have been given what was taken back.
        paths: all of these paths.
    """
    waits = [_operation(call, _never, watched=True) for call in calls if _waits(call)]
    by_call = {operation.call: operation for operation in waits}
    # Available units keep their locks reserved, for how long nobody outside can know.
    reserved = any("unit" in call.args for call in calls) or _units_may_wait(looks, paths)
    always = [_operation(None, _never)] if reserved else []
    operations = []
    for call in calls:
        operation = by_call.get(call) or _operation(call, _never)
        _complete(operation, waits, always)
        operations.append(operation)
    _in_order([operation for operation in operations if token_of(operation.call) is not None])
    return [*operations, *_looks(calls, looks, paths)]


def _units_may_wait(looks: list[Call], paths: frozenset[tuple]) -> bool:
    """Whether there were units that need such locks, handed out or not."""
    roots = {path[:1] for path in paths}
    needed = (lock for call in looks if call.kind == "add" for lock in call.args.get("locks") or ())
    return any(as_path(_path_of(lock))[:1] in roots for lock in needed)


def _path_of(lock):
    return lock["path"] if isinstance(lock, dict) else lock


def _operation(call: Call | None, step: Step, *, watched: bool = False) -> Operation:
    if call is None:
        return Operation(None, 0.0, NEVER, step, must=False)
    return Operation(call, call.invoked, call.completed, step, call.known, watched)


def _never(state, latest, done):
    """Take no effect: what is made first is completed later."""
    return ()


def _waits(call: Call) -> bool:
    """Whether a call may have waited, and reserved its paths meanwhile."""
    return call.kind == "lock" and bool(call.args.get("wait"))


def _in_order(granted: list[Operation]) -> None:
    """Grants take effect in the order of their tokens; what has a token again comes after that."""
    first: dict[int, Operation] = {}
    for operation in sorted(granted, key=lambda operation: operation.earliest):
        token = token_of(operation.call) or 0
        operation.after = first.get(token)
        first.setdefault(token, operation)
    ordered = [first[token] for token in sorted(first)]
    for before, operation in itertools.pairwise(ordered):
        operation.after = before


# ---- what changes something ----


def _complete(operation: Operation, waits: list[Operation], always: list[Operation]) -> None:
    """Set what an operation does, and since when it can have done so."""
    call = operation.call
    if call.kind in {"lock", "locksome"} and call.known and "refused" in call.result:
        operation.earliest = _refused_since(call)
        rivals = [waiter for waiter in waits if _is_in_the_way(waiter.call, call)]
        operation.step = lock_model.refused(call, operation.earliest, [*rivals, *always])
    elif call.kind in {"lock", "locksome"}:
        token = token_of(call)
        operation.step = lock_model.granted(call, _granted_paths(call), token)
    elif call.kind == "force_unlock":
        operation.step = lock_model.forced(call)
    elif call.known and not call.result["done"]:
        operation.step = lock_model.lost(call)
    else:
        does = lock_model.renewed if call.kind == "renew" else lock_model.unlocked
        operation.step = does(call)


def _granted_paths(call: Call) -> list[tuple]:
    if call.kind == "lock" or not call.known:
        return list(paths_of(call))
    return [as_path(path) for path in call.result["paths"] if path is not None]


def _refused_since(call: Call) -> float:
    if call.result["refused"] != "timeout":
        return call.invoked
    return min(max(call.invoked, call.invoked + call.args["wait"] - _LATE), call.completed)


def _is_in_the_way(waiter: Call, call: Call) -> bool:
    """Whether a call may have waited for something that another one asked for later."""
    if waiter is call or waiter.invoked > call.completed or waits_until(waiter) < call.invoked:
        return False
    modes = waiter.args.get("mode", "exclusive"), call.args.get("mode", "exclusive")
    pairs = itertools.product(paths_of(waiter), paths_of(call))
    return any(lock_model.conflict(one, modes[0], other, modes[1]) for one, other in pairs)


# ---- what only looks ----


def _looks(calls: list[Call], looks: list[Call], paths: frozenset[tuple]) -> Iterator[Operation]:
    tokens = {token_of(call) for call in calls}
    lost = [call for call in looks if may_be_taken_back(call)]
    for call in looks:
        if call.kind not in {"readlock", "list_locks"} or not call.known:
            continue
        ghosts = set(_ghosts(lost, call))
        if call.kind == "readlock":
            pairs = zip(paths_of(call), call.result["owners"], strict=True)
            owners = [one for one in pairs if one[0] in paths and one[1] not in ghosts]
            if owners:
                yield _operation(call, lock_model.read(call, owners))
        else:
            told = [one for one in _listed(call, paths) if one[2] in tokens or one[1] not in ghosts]
            yield _operation(call, lock_model.listed(call, as_path(call.args["path"]), told))


def _ghosts(lost: Iterable[Call], look: Call) -> Iterator[str]:
    """Give who may have been seen with what was taken back, because its connection was gone."""
    for call in lost:
        if call.invoked <= look.completed and waits_until(call) >= look.invoked:
            yield call.args.get("locker") or call.args["worker"]


def _listed(call: Call, paths: frozenset[tuple]) -> Iterator[Told]:
    for lock in call.result["locks"]:
        path = as_path(lock["path"])
        if path in paths:
            yield path, lock["locker"], lock["token"]
