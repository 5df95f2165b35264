"""The operation that tells what has changed."""

from collections.abc import Mapping
from typing import Any, Final

from coordinate_protocol.constants import MAX_WAIT
from coordinate_protocol.errors import shown
from coordinate_protocol.values import key_value
from coordinate_server.model.feed import (
    LOCKS,
    SPECS,
    Change,
    Happened,
    Topic,
    locks_below,
    units_of,
)
from coordinate_server.model.locks.paths import path_of, path_value
from coordinate_server.service.arguments import Options, text
from coordinate_server.service.call import Call
from coordinate_server.service.waiting import Pending
from coordinate_server.service.watchers import Interest, Watchers

__all__ = ["WatchCalls"]

_OPTIONS: Final = frozenset({"after", "wait", "limit"})
_DEFAULT_LIMIT, _MOST = 1000, 10_000
_MOST_TOPICS: Final = 100
_LAST: Final = 2**63 - 1


class WatchCalls:
    """Changes of specs, units and locks.

    Arguments:
        watchers: who waits for changes.
    """

    watchers: Watchers

    def watch(self, call: Call, topics: object, options: object = None) -> dict[str, Any] | Pending:
        """Give {position, reset, changes} of what has happened after a position."""
        most_bytes = call.namespace.settings.key_bytes
        interest, read = _interest(topics, most_bytes), Options.read(options, call, _OPTIONS)
        interest.limit = read.integer("limit", _DEFAULT_LIMIT, 1, _MOST)
        after = read.integer("after", 0, 0, _LAST) if read.has("after") else None
        wait = read.number("wait", 0, 0, MAX_WAIT)
        happened = self.watchers.look(call.namespace, interest, after)
        # What is not the newest position yet was too much to look at for one call.
        done = after is None or happened.changes or happened.reset
        if done or not wait or happened.position != call.namespace.feed.position:
            return _shown(happened)
        return self.watchers.wait(call.namespace, interest, wait).mapped(_shown)


def _interest(topics: object, most_bytes: int) -> Interest:
    if not isinstance(topics, list | tuple) or not 1 <= len(topics) <= _MOST_TOPICS:
        raise ValueError(f"topics should be an array of 1 to {_MOST_TOPICS}, not {shown(topics)}")
    return Interest(frozenset(_topic(topic, most_bytes) for topic in topics), _DEFAULT_LIMIT)


def _topic(topic: object, most_bytes: int) -> Topic:
    kind, value = _said(topic)
    if kind == "path":
        return locks_below(path_of(value, most_bytes, empty=True))
    return SPECS if kind == "specs" else units_of(text(value, kind))


def _said(topic: object) -> tuple[str, Any]:
    if isinstance(topic, Mapping) and len(topic) == 1:
        ((name, value),) = topic.items()
        kind = text(name, "the name of a topic")
        if kind in {"work_spec_name", "path"} or (kind == "specs" and value is True):
            return kind, value
    known = "{specs: true}, {work_spec_name: name} or {path: [part ...]}"
    raise ValueError(f"a topic should be {known}, not {shown(topic)}")


def _shown(happened: Happened) -> dict[str, Any]:
    changes = [_change(change) for change in happened.changes]
    return {"position": happened.position, "reset": happened.reset, "changes": changes}


def _change(change: Change) -> dict[str, Any]:
    kind, state = change.topic[0], change.state
    if change.topic == SPECS:
        return {"kind": kind, "work_spec_name": change.key, "gone": state is None}
    if change.topic == LOCKS:
        holder, token = state or (None, None)
        return {"kind": kind, "path": path_value(change.key), "locker_id": holder, "token": token}
    status, attempt = state or (None, 0)
    return {
        "kind": kind,
        "work_spec_name": change.topic[1],
        "work_unit_key": key_value(change.key),
        "status": status,
        "attempt": attempt,
    }
