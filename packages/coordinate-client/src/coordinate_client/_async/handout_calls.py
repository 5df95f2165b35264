"""The calls that hand units out."""

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from coordinate_client._async.update_calls import AsyncUpdateCalls
from coordinate_client._async.work_unit import AsyncWorkUnit
from coordinate_client.answers import named, pair, readable
from coordinate_client.server import Server, check_options
from coordinate_client.units import Handed, handed_units
from coordinate_client.updates import Update, UpdateResult, batch_results, slices
from coordinate_client.waits import Wait, check_wait
from coordinate_client.wanted import WantedWork, suitable
from coordinate_protocol.constants import FINISHED

__all__ = ["AsyncHandoutCalls"]


class AsyncHandoutCalls(AsyncUpdateCalls):
    """What can be asked for work."""

    async def get_work(
        self,
        worker_id: str,
        available_gb: float | None = None,
        lease_time: float | None = None,
        work_spec_names: Iterable[str] | None = None,
        max_jobs: int | None = 1,
        runtimes: Iterable[str] | None = None,
        wait: float | None = None,
    ) -> Any:
        """Lease units to work on.

        Args:
            worker_id: who asks.
            available_gb: memory there is; specs that need more are passed over.
            lease_time: seconds, at most a day; None for the setting `default_lifetime`.
            work_spec_names: only of these specs.
            max_jobs: how many at most, all of one spec.
            runtimes: only of specs with one of these as their `runtime`, or with none.
            wait: seconds to wait for work where there is none; infinity for as long as it takes.
                Other calls of this client go on meanwhile. A server that cannot wait is asked every
                `poll_seconds`.

        Returns:
            For max_jobs 1 a WorkUnit, or None where there is nothing to do; otherwise a list.

        Raises:
            ProgrammerError: for a lease that no server gives, or a wait that is no time.
            ValueError: for a memory or a number of jobs that is not a number.
            Unsupported: for `runtimes`, where the server does not know it.
            ClientClosed: where the client was closed meanwhile.
        """
        able = suitable(available_gb, work_spec_names, runtimes)
        wanted = WantedWork.of(worker_id, self._lease(lease_time), max_jobs, able)
        seconds = check_wait(wait)
        if seconds:
            units = await self._awaited_units(wanted, Wait(seconds, self.clock))
        else:
            units = await self._handed(wanted, None)
        return units if wanted.most != 1 else next(iter(units), None)

    async def finish_and_get_work(
        self,
        units: Iterable[AsyncWorkUnit],
        worker_id: str,
        available_gb: float | None = None,
        lease_time: float | None = None,
        work_spec_names: Iterable[str] | None = None,
        max_jobs: int | None = 1,
        runtimes: Iterable[str] | None = None,
    ) -> tuple[list[UpdateResult], list[AsyncWorkUnit]]:
        """Finish units and lease the next ones, in one message where the server has `tokens`.

        Args:
            units: what is done; each is sent with its data, if that changed.
            worker_id: who asks; this and all others are as for `get_work`.
            available_gb: memory there is.
            lease_time: seconds.
            work_spec_names: only of these specs.
            max_jobs: how many at most, all of one spec.
            runtimes: only of specs with one of these as their `runtime`, or with none.

        Returns:
            What became of each unit, a lost lease being no error; and a list of the next ones.
        """
        able = suitable(available_gb, work_spec_names, runtimes)
        wanted = WantedWork.of(worker_id, self._lease(lease_time), max_jobs, able)
        done = list(units)
        if not await self._offers("tokens"):
            return await self.finish_units(done), await self._handed(wanted, None)
        updates = [unit.update_of({"status": FINISHED}) for unit in done]
        results, following = await self._exchanged(updates, wanted)
        for unit, update, result in zip(done, updates, results, strict=True):
            if result.done:
                unit.took(update)
        return results, following

    async def _exchanged(
        self, updates: list[Update], wanted: WantedWork
    ) -> tuple[list[UpdateResult], list[AsyncWorkUnit]]:
        """Send updates, and ask for work with the last of them."""
        *earlier, last = list(slices(updates)) or [[]]
        results = []
        for part in earlier:
            results += await self._update_slice(part)

        def params(server: Server | None) -> list[Any]:
            check_options("update_work_units", wanted.options, server)
            return [[update.wire for update in last], {"get_work": wanted.following}]

        asked_at = time.time()
        answer = await self._call("update_work_units", params)
        told, units, message = batch_results(answer, len(last))
        if message is not None:
            pair("update_work_units", (units, message), logging.INFO)
        return results + told, self._units(units or [], wanted, asked_at)

    async def _awaited_units(self, wanted: WantedWork, wait: Wait) -> list[AsyncWorkUnit]:
        async def ask(waits: bool) -> list[AsyncWorkUnit]:
            return await self._handed(wanted, wait if waits else None)

        found: list[AsyncWorkUnit] = await self._waited("get_work", "wait", wait, ask, bool)
        return found

    async def _handed(self, wanted: WantedWork, wait: Wait | None) -> list[AsyncWorkUnit]:
        """Ask once; with a wait, a server that can waits with its answer."""
        asked_at = time.time()
        answer = await self._call("get_work", lambda server: wanted.params(server, wait), wait)
        found = pair("get_work", answer, logging.INFO)
        # Of a lease that began while the server waited, only the latest beginning is known.
        leased_at = asked_at if wait is None else time.time()
        return self._units([found] if wanted.most == 1 else found, wanted, leased_at)

    def _units(self, found: Any, wanted: WantedWork, leased_at: float) -> list[AsyncWorkUnit]:
        return [self._unit(handed, wanted, leased_at) for handed in handed_units(found)]

    def _unit(self, handed: Handed, wanted: WantedWork, leased_at: float) -> AsyncWorkUnit:
        unit = AsyncWorkUnit.unseen(
            self,
            handed.work_spec_name,
            handed.key,
            handed.data,
            wanted.worker_id,
            leased_at + wanted.lease,
            wanted.lease,
            handed.attempt,
        )
        unit.locks = handed.locks
        return unit

    def _lease(self, lease_time: float | None) -> float:
        return self.settings.default_lifetime if lease_time is None else lease_time

    async def get_child_work_units(self, worker_id: str) -> dict[str, list[AsyncWorkUnit]]:
        """What the children of a worker have leased.

        Args:
            worker_id: the parent.

        Returns:
            The units of each child that has any; `expires` is by the server's clock.
        """
        answer = await self._rpc("get_child_work_units", [worker_id])
        found = pair("get_child_work_units", answer, logging.ERROR) or {}
        return {
            readable(child): [self._child_unit(part) for part in parts]
            for child, parts in found.items()
            if parts
        }

    def _child_unit(self, part: Mapping[str, Any]) -> AsyncWorkUnit:
        known = named(part, "work_spec_name", "work_unit_key", "worker_id")
        return AsyncWorkUnit(
            self,
            known.get("work_spec_name"),
            known.get("work_unit_key"),
            known.get("work_unit_data"),
            known.get("worker_id"),
            known.get("expires"),
            self.settings.default_lifetime,
        )
