"""What there is to know of one call about locks."""

from tests.histories.events import Call

_LONGEST = 5.0
"""Seconds, above the time of a wait, after which nobody waits whose process was killed."""


def as_path(value) -> tuple:
    """Give a path as it is compared: JSON knows no tuples."""
    return tuple(as_path(part) if isinstance(part, list) else part for part in value)


def paths_of(call: Call) -> tuple[tuple, ...]:
    """Give the paths that a call names."""
    return tuple(as_path(path) for path in call.args["paths"])


def token_of(call: Call) -> int | None:
    """Give the token that a call was granted."""
    found = call.kind in {"lock", "locksome"} and call.known
    token: int | None = call.result.get("token") if found else None
    return token


def asks_for_work(call: Call) -> bool:
    """Whether a call may be given units."""
    return call.kind == "get_work" or (call.kind == "updates" and "worker" in call.args)


def may_be_taken_back(call: Call) -> bool:
    """Whether a call may have been given something that was taken back as its connection was gone.

    That is done for who waits, and for who asks for work.
    """
    waits = call.kind == "lock" and bool(call.args["wait"])
    return (waits or asks_for_work(call)) and bool(call.repeats or not call.known)


def waits_until(call: Call) -> float:
    """Give when a call waited no more; of one that was never answered, surely not."""
    if call.known:
        return call.completed
    return call.invoked + call.args.get("wait", 0) + _LONGEST
