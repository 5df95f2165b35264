"""The calls that say what became of units: one at a time, and many in a message."""

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from coordinate_client._async.unit_calls import AsyncUnitCalls
from coordinate_client._async.work_unit import AsyncWorkUnit
from coordinate_client.answers import pair, split
from coordinate_client.server import Server, can, check_options
from coordinate_client.units import check_lease
from coordinate_client.updates import Update, UpdateResult, batch_results, single_result, slices
from coordinate_protocol.constants import AVAILABLE, FAILED, FINISHED

__all__ = ["AsyncUpdateCalls"]

logger = logging.getLogger("coordinate_client")


class AsyncUpdateCalls(AsyncUnitCalls):
    """What can be told about units."""

    async def update_work_unit(
        self,
        work_spec_name: str,
        work_unit_key: str | bytes,
        lease_time: float | None = None,
        status: int | None = None,
        data: Any = None,
        delay: float | None = None,
    ) -> bool:
        """Change a unit, whoever has it; workers use the methods of their WorkUnit instead.

        Args:
            work_spec_name: the spec it is of.
            work_unit_key: which.
            lease_time: seconds from now that the lease goes on for; at most a day.
            status: the new one.
            data: the new data.
            delay: seconds until the unit is available, with AVAILABLE as status or a lease_time
                below zero; with FAILED, until it is tried again, if it is.

        Returns:
            Whether that was done; why not is logged.

        Raises:
            ProgrammerError: for a lease that no server gives.
            Unsupported: for `delay`, where the server does not know it.
        """
        lease = None if lease_time is None else check_lease(lease_time)
        asked = {"lease_time": lease, "status": status, "data": data, "delay": delay}
        options = {name: value for name, value in asked.items() if value is not None}
        return await self.update_leased(work_spec_name, work_unit_key, options, None)

    async def update_leased(
        self,
        work_spec_name: str,
        work_unit_key: str | bytes,
        options: Mapping[str, Any],
        worker_id: str | None,
        attempt: int | None = None,
    ) -> bool:
        """Change a unit on behalf of the worker that leases it.

        Args:
            work_spec_name: the spec it is of.
            work_unit_key: which.
            options: lease_time, status, data, delay.
            worker_id: whose lease has to hold; None for nobody's. A 0.1.5 server is not told, as it
                would hand the lease over.
            attempt: the number of the hand-out that has to hold, for servers that have `tokens`;
                None for any.

        Returns:
            Whether that was done; why not is logged.

        Raises:
            LostLease: where the worker has no lease on the unit any more.
            Unsupported: for an option that the server does not know.
        """
        update = Update(work_spec_name, work_unit_key, options, worker_id, attempt)
        if attempt is not None and await self._offers("tokens"):
            (result,) = await self._update_slice([update])
            method = "update_work_units"
        else:
            result = await self._update_alone(update)
            method = "update_work_unit"
        result.check(work_spec_name, work_unit_key)
        return bool(pair(method, (result.done, result.message)))

    async def retry(
        self, work_spec_name: str, *work_unit_names: str | bytes, delay: float | None = None
    ) -> bool:
        """Make units available again, whatever their status; failed ones without their traceback.

        A unit that needs others which have not ended is blocked instead, and becomes available
        when they have.

        Args:
            work_spec_name: the spec they are of.
            *work_unit_names: their keys.
            delay: seconds until then.

        Returns:
            Whether all could be; why not is logged.

        Raises:
            Unsupported: for `delay`, where the server does not know it.
        """
        if not work_unit_names:
            return True
        units = await self.get_work_units(work_spec_name, work_unit_names) or []
        results = [await self._retry_one(work_spec_name, key, data, delay) for key, data in units]
        return len(results) == len(work_unit_names) and all(results)

    async def _retry_one(
        self, work_spec_name: str, key: str | bytes, data: Any, delay: float | None
    ) -> bool:
        had_traceback = isinstance(data, dict) and "traceback" in data
        clean = (
            {name: data[name] for name in data if name != "traceback"} if had_traceback else None
        )
        done = await self.update_work_unit(work_spec_name, key, 0, AVAILABLE, clean, delay)
        if not done:
            logger.info("work unit %r of %r cannot be retried", key, work_spec_name)
        return done

    async def update_work_units(self, updates: Iterable[Any]) -> list[UpdateResult]:
        """Change many units, a thousand in a message; by servers without `tokens`, one by one.

        What a message asks for is done in one go: all of it is durable when any of it is.

        Args:
            updates: (spec, key, options) each, with the options `lease_time`, `status`, `data`,
                `delay`, `worker_id` and `attempt`: whose lease, and which hand-out, has to hold.

        Returns:
            What became of each, in their order.

        Raises:
            ProgrammerError: for an item that is no update; nothing is sent then.
            Unsupported: for `delay` or `attempt`, where the server does not know it.
        """
        found = [Update.of(item) for item in updates]
        if any(update.attempt is not None for update in found):
            await self._offers("tokens")
            check_options("update_work_units", {"attempt"}, self.server)
        return await self._update_all(found)

    async def finish_units(self, units: Iterable[AsyncWorkUnit]) -> list[UpdateResult]:
        """Say that the work on many units is done; see `AsyncWorkUnit.finish`.

        Args:
            units: each is sent with its data, if that changed.

        Returns:
            What became of each, in their order; a lost lease is no error here.
        """
        return await self._update_units(list(units), {"status": FINISHED})

    async def fail_units(
        self,
        units: Iterable[AsyncWorkUnit],
        exc: BaseException | str | None = None,
        delay: float | None = None,
    ) -> list[UpdateResult]:
        """Say that the work on many units cannot be done; see `AsyncWorkUnit.fail`.

        Args:
            units: each is sent with its data, if that changed.
            exc: why; None where each unit's data says it.
            delay: seconds until they are tried again, if they are; None for what their specs say.

        Returns:
            What became of each, in their order; a lost lease is no error here.

        Raises:
            Unsupported: for `delay`, where the server does not know it.
        """
        failed = list(units)
        if exc is not None:
            for unit in failed:
                unit.note_failure(exc)
        options = {"status": FAILED} if delay is None else {"status": FAILED, "delay": delay}
        return await self._update_units(failed, options)

    async def renew_units(
        self, units: Iterable[AsyncWorkUnit], lease_time: float | None = None
    ) -> list[UpdateResult]:
        """Keep the leases of many units; see `AsyncWorkUnit.update`.

        Args:
            units: each is sent with its data, if that changed.
            lease_time: seconds from now, at most a day; None for the default of each unit.

        Returns:
            What became of each, in their order; a lost lease is no error here.
        """
        renewed = list(units)
        leases = [unit.lease(lease_time) for unit in renewed]
        asked_at = time.time()
        updates = [
            unit.update_of({"lease_time": lease})
            for unit, lease in zip(renewed, leases, strict=True)
        ]
        results = await self._update_all(updates)
        for unit, lease, update, result in zip(renewed, leases, updates, results, strict=True):
            if result.done:
                unit.took(update, asked_at + lease)
        return results

    async def _update_units(
        self, units: list[AsyncWorkUnit], options: Mapping[str, Any]
    ) -> list[UpdateResult]:
        updates = [unit.update_of(options) for unit in units]
        results = await self._update_all(updates)
        for unit, update, result in zip(units, updates, results, strict=True):
            if result.done:
                unit.took(update)
        return results

    async def _update_all(self, updates: list[Update]) -> list[UpdateResult]:
        if not await self._offers("tokens"):
            return [await self._update_alone(update) for update in updates]
        results = []
        for part in slices(updates):
            results += await self._update_slice(part)
        return results

    async def _update_slice(self, updates: list[Update]) -> list[UpdateResult]:
        def params(server: Server | None) -> list[Any]:
            for update in updates:
                check_options("update_work_units", update.options, server)
            return [[update.wire for update in updates]]

        answer = await self._call("update_work_units", params)
        results, _, _ = batch_results(answer, len(updates))
        return results

    async def _update_alone(self, update: Update) -> UpdateResult:
        """Ask for one update in the way that every server knows."""
        fenced = False

        def params(server: Server | None) -> list[Any]:
            nonlocal fenced
            fenced = update.worker_id is not None and server is not None
            check_options("update_work_unit", update.options, server)
            owned: dict[str, Any] = {"worker_id": update.worker_id} if fenced else {}
            if can(server, "tokens") and update.attempt is not None:
                owned["attempt"] = update.attempt
            return [update.work_spec_name, update.key, {**update.options, **owned}]

        answer = await self._call("update_work_unit", params)
        return single_result(*split("update_work_unit", answer), fenced=fenced)
