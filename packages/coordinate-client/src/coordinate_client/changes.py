"""What has changed: which topics to ask about, and what a server tells of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from coordinate_client.exceptions import InvalidAnswer, ProgrammerError
from coordinate_client.paths import as_path, told_path

__all__ = ["Changes", "wire_topics"]

_FORMS = "{'specs': True}, {'work_spec_name': NAME} or {'path': PATH}"


@frozen
class Changes:
    """What changed after a position.

    Args:
        position: where to go on from.
        reset: whether the server does not remember back to the position that was asked for: then
            read anew what you know of the topics.
        changes: oldest first, each spec, unit and lock at most once, as it is now. Each has a
            `kind`: "spec" with `work_spec_name` and `gone`; "unit" with `work_spec_name`,
            `work_unit_key`, `status` (None for a unit that is gone) and `attempt`; "lock" with
            `path`, `locker_id` (None for one that is free) and `token`.
    """

    position: int
    reset: bool
    changes: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, answer: Any) -> "Changes":
        """Read the result of `watch`.

        Raises:
            InvalidAnswer: for anything but that.
        """
        try:
            changes = tuple(_change(change) for change in answer["changes"])
            return cls(answer["position"], bool(answer.get("reset")), changes)
        except (TypeError, KeyError, AttributeError) as error:
            raise InvalidAnswer(f"watch was answered with {answer!r:.200}") from error

    def __bool__(self) -> bool:
        """Whether there is something to do: changes, or a new beginning."""
        return self.reset or bool(self.changes)


def _change(change: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told_path(value) if name == "path" else value for name, value in change.items()}


def wire_topics(topics: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What to watch, as it is sent.

    Args:
        topics: one map or several: {"specs": True} for all work specs, {"work_spec_name": name} for
            the units of a spec, {"path": path} for the locks at or under a path, () for all.

    Raises:
        ProgrammerError: for anything else.
    """
    found = [topics] if isinstance(topics, Mapping) else list(topics)
    return [_topic(topic) for topic in found]


def _topic(topic: Any) -> dict[str, Any]:
    if not isinstance(topic, Mapping) or len(topic) != 1:
        raise ProgrammerError(f"topic {topic!r} must be {_FORMS}")
    if "path" not in topic:
        return dict(topic)
    path = topic["path"]
    return {"path": [] if path in ((), []) else list(as_path(path))}
