"""WorkUnit: one unit in the hands of its worker."""

import logging
import time
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from coordinate_client.exceptions import NoSuchWorkSpecError, ProgrammerError
from coordinate_client.paths import Path
from coordinate_client.running import call_run_function
from coordinate_client.transport_async import settled
from coordinate_client.updates import Update
from coordinate_protocol.codec import decode, encode
from coordinate_protocol.constants import CLIENT_LEASE, FAILED, FINISHED, MAX_LEASE
from coordinate_protocol.errors import ProtocolError
from coordinate_protocol.limits import ANSWER_LIMITS
from coordinate_protocol.values import Encoded

if TYPE_CHECKING:
    from coordinate_client._async.update_calls import AsyncUpdateCalls

__all__ = ["AsyncWorkUnit"]

logger = logging.getLogger("coordinate_client")


class AsyncWorkUnit:
    """A unit of work, leased until `expires`.

    Attributes:
        taskmaster: where it came from.
        work_spec_name: the spec it is of.
        key: its name within the spec.
        data: what it is about; change it, and the next call sends it.
        worker_id: who leases it; None for a unit that was not handed out.
        expires: when the lease ends by this machine's clock, seconds since 1970, or None.
        default_lease_time: the seconds that `update` asks for.
        attempt: the number of this hand-out; None by servers that do not say it. Numbers only grow,
            so whatever the unit writes to can refuse those below the highest it has seen: a worker
            that lost the unit without noticing does no harm then.
        locks: (path, mode) of each lock that the unit holds for as long as it is leased.
        ended: what the server was told about its end: "finished", "failed" or "released"; None
            while that is nothing.
    """

    def __init__(
        self,
        taskmaster: "AsyncUpdateCalls",
        work_spec_name: str,
        key: str | bytes,
        data: Any,
        worker_id: str | None = None,
        expires: float | None = None,
        default_lease_time: float | None = CLIENT_LEASE,
        attempt: int | None = None,
    ) -> None:
        """Wrap what a server handed out; the arguments are the attributes."""
        lease = CLIENT_LEASE if default_lease_time is None else default_lease_time
        self._wrap(taskmaster, work_spec_name, key, data, worker_id, expires, lease, attempt)
        self._sent: bytes | None = self._encoded()

    @classmethod
    def unseen(cls, *args: Any) -> Self:
        """Wrap data that nobody else has: as long as nobody asks for them, they do not change.

        Args:
            *args: those of the class, all of them.
        """
        unit = cls.__new__(cls)
        unit._wrap(*args)  # noqa: SLF001 - it is one of this class
        return unit

    def _wrap(
        self,
        taskmaster: "AsyncUpdateCalls",
        work_spec_name: str,
        key: str | bytes,
        data: Any,
        worker_id: str | None,
        expires: float | None,
        default_lease_time: float,
        attempt: int | None,
    ) -> None:
        self.taskmaster = taskmaster
        self.work_spec_name = work_spec_name
        self.key = key
        self._data = data
        # As the server has them; None for those that nobody has asked for.
        self._sent = None
        # As they are to be sent; None where that is seen when they are.
        self._fixed: bytes | None = None
        self.worker_id = worker_id
        self.expires = expires
        self.default_lease_time = default_lease_time
        self.attempt = attempt
        self.locks: tuple[tuple[Path, str], ...] = ()
        self.ended: str | None = None
        self._spec: Mapping[str, Any] | None = None

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(work_spec_name={self.work_spec_name!r}, key={self.key!r}, "
            f"worker_id={self.worker_id!r}, expires={self.expires!r}, attempt={self.attempt!r}, "
            f"data={self._data!r})"
        )

    @property
    def data(self) -> Any:
        """What it is about."""
        if self._sent is None:
            self._sent = self._encoded()
        self._fixed = None
        return self._data

    @data.setter
    def data(self, value: Any) -> None:
        if self._sent is None:
            self._sent = self._encoded()
        self._fixed = None
        self._data = value

    def fix(self) -> None:
        """Have the next call send the data as they are now, if nobody looks at `data` until then.

        Raises:
            EncodeError: where they have no form on the wire.
        """
        if self._sent is not None:
            self._fixed = encode(self._data)

    @property
    async def spec(self) -> Mapping[str, Any]:
        """The work spec, fetched once.

        Raises:
            NoSuchWorkSpecError: where it is gone.
        """
        if self._spec is None:
            self._spec = await self.taskmaster.get_work_spec(self.work_spec_name)
        if self._spec is None:
            raise NoSuchWorkSpecError(f"no such work spec {self.work_spec_name!r}")
        return self._spec

    @spec.setter
    def spec(self, value: Mapping[str, Any]) -> None:
        self._spec = value

    async def update(self, lease_time: float | None = None) -> bool:
        """Keep the lease, and send the data if it changed.

        Args:
            lease_time: seconds from now, at most a day; None for `default_lease_time`.

        Returns:
            Whether the server still has the unit.

        Raises:
            LostLease: where it is another worker's, or nobody's, by now.
        """
        wanted = self.lease(lease_time)
        asked_at = time.time()
        done = await self._update(lease_time=wanted)
        if done:
            self.expires = asked_at + wanted
        return done

    def lease(self, lease_time: float | None = None) -> float:
        """The seconds that `update` asks for.

        Args:
            lease_time: seconds from now; None for `default_lease_time`.
        """
        wanted = self.default_lease_time if lease_time is None else lease_time
        if wanted > MAX_LEASE:
            logger.info("lease of %r s is limited to %d s", wanted, MAX_LEASE)
            return MAX_LEASE
        return wanted

    async def finish(self) -> bool:
        """Say that the work is done. Doing so twice is harmless.

        Returns:
            Whether the server still has the unit.

        Raises:
            LostLease: where it is another worker's, or nobody's, by now.
        """
        return self._end("finished", await self._update(status=FINISHED))

    async def fail(
        self, exc: BaseException | str | None = None, delay: float | None = None
    ) -> bool:
        """Say that the work cannot be done. It is tried again where the spec has `max_retries`.

        Data that have no form on the wire any more do not keep it from failing: those that the
        server has are kept, with the traceback.

        Args:
            exc: why; its traceback goes into `data["traceback"]`.
            delay: seconds until it is tried again, if it is; None for what the spec says.

        Returns:
            Whether the server still has the unit.

        Raises:
            LostLease: where it is another worker's, or nobody's, by now.
            Unsupported: for `delay`, where the server does not know it.
        """
        if exc is not None:
            self.note_failure(exc)
        elif not self.can_be_sent():
            self.restore()
        return self._end("failed", await self._update(**_delayed(delay), status=FAILED))

    async def retry(self, delay: float | None = None) -> bool:
        """Give the unit back unended, for any worker to try; it does not count as a failure.

        Args:
            delay: seconds until it is available; None for at once.

        Returns:
            Whether the server still has the unit.

        Raises:
            LostLease: where it is another worker's, or nobody's, by now.
            Unsupported: for `delay`, where the server does not know it.
        """
        return self._end("released", await self._update(**_delayed(delay), lease_time=-1))

    async def run(self) -> Any:
        """Call the spec's run function with this unit, and finish it when that returns.

        Returns:
            What the function returns.

        Raises:
            ProgrammerError: where the spec does not say what to run.
            LostLease: where the unit was lost meanwhile.
            Exception: whatever the function raises; the unit is then still this worker's.
        """
        spec = await self.spec
        logger.info("running work unit %r of %r", self.key, self.work_spec_name)
        result = await settled(call_run_function(self, spec))
        await self.finish()
        return result

    def note_failure(self, exc: BaseException | str) -> None:
        """Write into the data why the work cannot be done; it is sent with the next call.

        Data that have no form on the wire any more are replaced by those that the server has.

        Args:
            exc: goes into `data["traceback"]`.

        Raises:
            ProgrammerError: for anything but an exception or a text.
        """
        text = _traceback_of(exc)
        if not self.can_be_sent():
            self.restore()
        if self.data is None:
            self.data = {}
        if isinstance(self.data, dict):
            self.data["traceback"] = text
        else:
            logger.error("%r failed, and its data has no room for this: %s", self.key, text)

    def can_be_sent(self) -> bool:
        """Whether the data have a form on the wire; why not is logged."""
        try:
            self._encoded()
        except ProgrammerError as error:
            logger.error("%s", error)  # noqa: TRY400 - what the data are is no bug of ours
            return False
        return True

    def restore(self) -> None:
        """Forget what was changed in the data and not sent."""
        if self._sent is not None:
            self.data = self._sent_data()

    def snapshot(self) -> "AsyncWorkUnit":
        """The same unit once more, with the data that the server has."""
        return AsyncWorkUnit(
            self.taskmaster,
            self.work_spec_name,
            self.key,
            self._sent_data(),
            self.worker_id,
            self.expires,
            self.default_lease_time,
            self.attempt,
        )

    def follow(self, twin: Any) -> None:
        """Take over what was done with a twin: a WorkUnit of either half that stands for this one.

        Args:
            twin: made of this unit's data.
        """
        self.data, self.ended = twin.data, twin.ended
        self.expires = twin.expires
        self._sent = twin._sent  # noqa: SLF001 - it is the other half's

    def update_of(self, options: Mapping[str, Any]) -> Update:
        """A change of this unit, for a message with many of them.

        Args:
            options: what is to change; the data goes along if it changed.
        """
        data = self._changed_data()
        if data is not None:
            options = {**options, "data": Encoded(data)}
        return Update(self.work_spec_name, self.key, options, self.worker_id, self.attempt)

    def took(self, update: Update, expires: float | None = None) -> None:
        """Take note that the server has made a change.

        Args:
            update: what `update_of` gave.
            expires: when the lease ends now; None where that did not change.
        """
        data = update.options.get("data")
        if data is not None:
            self._sent = data.data
        self._fixed = None
        if expires is not None:
            self.expires = expires

    def _end(self, how: str, done: bool) -> bool:
        if done:
            self.ended = how
        return done

    async def _update(self, **options: Any) -> bool:
        update = self.update_of(options)
        done = await self.taskmaster.update_leased(
            self.work_spec_name, self.key, update.options, self.worker_id, self.attempt
        )
        if done:
            self.took(update)
        return done

    def _sent_data(self) -> Any:
        sent = self._encoded() if self._sent is None else self._sent
        return decode(sent, ANSWER_LIMITS, integer_keys=True)

    def _changed_data(self) -> bytes | None:
        """The data as they are to be sent; None where the server has them."""
        if self._sent is None:
            return None
        data = self._encoded() if self._fixed is None else self._fixed
        return None if data == self._sent else data

    def _encoded(self) -> bytes:
        try:
            return encode(self._data)
        except ProtocolError as error:
            raise ProgrammerError(f"data of work unit {self.key!r}: {error}") from error


def _delayed(delay: float | None) -> dict[str, float]:
    return {} if delay is None else {"delay": delay}


def _traceback_of(exc: BaseException | str) -> str:
    if isinstance(exc, BaseException):
        text = "".join(traceback.format_exception(exc))
    elif isinstance(exc, str):
        text = exc
    else:
        raise ProgrammerError(f"{exc!r} must be an exception or a text")
    # Names of files that are no text bring surrogates into messages; the wire has no form for them.
    return text.encode(errors="backslashreplace").decode()
