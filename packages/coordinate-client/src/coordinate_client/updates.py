"""Updates of many units: before they are sent, and what became of each."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from attrs import define, frozen

from coordinate_client.answers import named, says_no_spec, says_not_owner
from coordinate_client.exceptions import InvalidAnswer, LostLease, ProgrammerError
from coordinate_client.units import check_lease, encoded
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.values import Encoded, as_text, key_bytes

__all__ = ["LOST_LEASE", "Update", "UpdateResult", "batch_results", "single_result", "slices"]

# Every unit of a message is looked up in one go: a few milliseconds for so many.
_SLICE_UPDATES = 1000
_SLICE_BYTES = 2**20

LOST_LEASE = "lost_lease"
_OTHERS = "refused"


@frozen
class UpdateResult:
    """What became of one update.

    Args:
        done: whether the unit is now as was asked for.
        code: why not, for programs: "lost_lease", "no_such_work_spec", "no_such_work_unit", or
            "refused"; None where it was done.
        message: the server's words for people, or None.
    """

    done: bool
    code: str | None = None
    message: str | None = None

    @property
    def lost(self) -> bool:
        """Whether the unit is another worker's, or nobody's, by now."""
        return self.code == LOST_LEASE

    def check(self, work_spec_name: str, key: str | bytes) -> None:
        """Raise where the lease was lost.

        Args:
            work_spec_name: the spec of the unit, for the error.
            key: which it is, for the error.

        Raises:
            LostLease: the unit is another worker's, or nobody's, by now.
        """
        if self.lost:
            raise LostLease(f"work unit {key!r} of {work_spec_name!r}: {self.message}")


@define
class Update:
    """An update before it is sent.

    Args:
        work_spec_name: the spec of the unit.
        key: which it is.
        options: what is to change; data as bytes.
        worker_id: whose lease has to hold; None for nobody's.
        attempt: the number of the hand-out that has to hold; None for any.
    """

    work_spec_name: str
    key: str | bytes
    options: Mapping[str, Any]
    worker_id: str | None = None
    attempt: int | None = None

    @classmethod
    def of(cls, item: Any) -> "Update":
        """Read what a caller gives.

        Args:
            item: (spec, key, options).

        Raises:
            ProgrammerError: for anything else.
        """
        if not isinstance(item, (list, tuple)) or len(item) != 3:  # noqa: PLR2004 - as above
            raise ProgrammerError(f"update {item!r:.200} must be (spec, key, options)")
        spec, key, options = item
        if not isinstance(options, Mapping):
            raise ProgrammerError(f"options {options!r:.200} of work unit {key!r} must be a map")
        try:
            as_text(spec)
            key_bytes(key)
        except ProtocolError as error:
            raise ProgrammerError(f"update of work unit {key!r}: {error}") from error
        asked = {name: value for name, value in options.items() if value is not None}
        worker_id, attempt = asked.pop("worker_id", None), asked.pop("attempt", None)
        return cls(spec, key, _checked(key, asked), worker_id, attempt)

    @property
    def wire(self) -> tuple[Any, ...]:
        """The update as servers that have tokens take it."""
        told = dict(self.options)
        if self.worker_id is not None:
            told["worker_id"] = self.worker_id
        if self.attempt is not None:
            told["attempt"] = self.attempt
        return self.work_spec_name, self.key, told

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        data = self.options.get("data")
        return len(self.key) + (len(data.data) if isinstance(data, Encoded) else 0)


def _checked(key: str | bytes, options: dict[str, Any]) -> dict[str, Any]:
    if "lease_time" in options:
        check_lease(options["lease_time"])
    if "data" in options:
        options["data"] = encoded(f"data of work unit {key!r}", options["data"])
    return options


def slices(
    updates: Iterable[Update], most: int = _SLICE_UPDATES, most_bytes: int = _SLICE_BYTES
) -> Iterator[list[Update]]:
    """The updates in lists that fit into messages.

    Args:
        updates: in their order.
        most: updates in a list.
        most_bytes: bytes of keys and data in a list, where it has more than one update.
    """
    found: list[Update] = []
    size = 0
    for update in updates:
        more = update.size
        if found and (len(found) >= most or size + more > most_bytes):
            yield found
            found, size = [], 0
        found.append(update)
        size += more
    if found:
        yield found


def batch_results(answer: Any, asked: int) -> tuple[list[UpdateResult], Any, str | None]:
    """What a server says to many updates.

    Args:
        answer: its result.
        asked: how many updates there were.

    Returns:
        A result for each; the units that were leased, or None; a message for people, or None.

    Raises:
        InvalidAnswer: for anything but that.
    """
    if not isinstance(answer, (list, tuple)) or len(answer) != 3:  # noqa: PLR2004 - as above
        raise InvalidAnswer(f"update_work_units was answered with {answer!r:.200}")
    told, units, message = answer
    if not isinstance(told, (list, tuple)) or len(told) != asked:
        raise InvalidAnswer(f"update_work_units: {told!r:.200} are no {asked} results")
    return [_result(one) for one in told], units, message


_DONE = UpdateResult(done=True)


def _result(told: Any) -> UpdateResult:
    if told == {"done": True}:
        return _DONE
    known = named(told, "code", "message")
    return UpdateResult(bool(known.get("done")), known.get("code"), known.get("message"))


def single_result(done: Any, message: str | None, *, fenced: bool) -> UpdateResult:
    """What a server says to one update in words only.

    Args:
        done: the first half of its answer.
        message: the other half.
        fenced: whether it was told whose lease has to hold.
    """
    if done:
        return UpdateResult(done=True, message=message)
    if says_no_spec(message):
        return UpdateResult(done=False, code="no_such_work_spec", message=message)
    if message is not None and message.startswith("no such"):
        return UpdateResult(done=False, code="no_such_work_unit", message=message)
    lost = fenced and says_not_owner(message)
    return UpdateResult(done=False, code=LOST_LEASE if lost else _OTHERS, message=message)
