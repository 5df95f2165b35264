"""The calls about work units."""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from coordinate_client._async.spec_calls import AsyncSpecCalls
from coordinate_client.answers import named, pair, readable_unit, says_no_spec, split
from coordinate_client.exceptions import NoSuchWorkSpecError
from coordinate_client.server import Server
from coordinate_client.units import WireUnit, as_keys, check_units, slices
from coordinate_protocol.constants import (
    AVAILABLE,
    BLOCKED,
    FAILED,
    FINISHED,
    PENDING,
    PRIORITY,
)

__all__ = ["AsyncUnitCalls"]

# The most units that a server gives at once.
_MOST_UNITS = 10_000
_STATUS_KEYS = {
    "num_available": AVAILABLE,
    "num_pending": PENDING,
    "num_blocked": BLOCKED,
    "num_finished": FINISHED,
    "num_failed": FAILED,
}

States = int | list[int] | tuple[int, ...]


class AsyncUnitCalls(AsyncSpecCalls):
    """What can be asked about work units."""

    async def add_work_units(
        self, work_spec_name: str, work_unit_key_vals: Mapping[Any, Any] | Iterable[Any]
    ) -> bool:
        """Add units, or make existing ones available again with new data.

        Many are sent in slices, as they are made: where a later slice fails, those before it
        have been added, and the same call can be made again. So a unit that others need has to come
        before them where there may be more than one slice.

        Args:
            work_spec_name: the spec they are of.
            work_unit_key_vals: key to data, or (key, data) pairs, or (key, data, options) with
                options `priority`, `delay` (seconds), `depends_on`: a list of what the unit
                needs, each a key of the same spec, (spec, key), or (spec, key, hard), where hard
                False means that it may fail; and `locks`: a list of the locks that it needs while
                it is worked on, each a path, or (path, "shared").

        Returns:
            Whether they were added: False where there is no such spec, where a unit that is needed
            does not exist, and for a cycle. Which it was is logged.

        Raises:
            ProgrammerError: for an item that is no unit.
            Unsupported: for `delay`, `depends_on` or `locks`, where the server does not know it.
        """
        added = False
        for units in slices(work_unit_key_vals):
            added = await self._add_slice(work_spec_name, units)
            if not added:
                break
        return added

    async def _add_slice(self, work_spec_name: str, units: list[WireUnit]) -> bool:
        def params(server: Server | None) -> list[Any]:
            check_units(units, server)
            return [work_spec_name, units]

        return bool(
            pair("add_work_units", await self._call("add_work_units", params), logging.INFO)
        )

    async def update_bundle(
        self, work_spec: Mapping[str, Any], work_units: Mapping[Any, Any], nice: int | None = None
    ) -> None:
        """Set a work spec and add units to it.

        Args:
            work_spec: as for `set_work_spec`.
            work_units: key to data.
            nice: goes into the spec: 20 - nice is its weight where it has none of its own.
        """
        spec = dict(work_spec) if nice is None else dict(work_spec) | {"nice": nice}
        await self.set_work_spec(spec)
        await self.add_work_units(spec["name"], work_units)

    async def count_work_units(self, work_spec_name: str) -> dict[int, int]:
        """How many units there are, by status; for an unknown spec what the server gives: False."""
        counts: dict[int, int]
        counts, _ = await self._counts(work_spec_name)
        return counts

    async def status(self, work_spec_name: str) -> dict[str, int]:
        """How many units there are, by name of the status.

        Returns:
            num_available, num_pending, num_blocked, num_finished, num_failed, and num_tasks, which
            counts delayed units too.

        Raises:
            NoSuchWorkSpecError: where there is no such spec.
        """
        counts, message = await self._counts(work_spec_name)
        if counts is None or says_no_spec(message):
            raise NoSuchWorkSpecError(f"no such work spec {work_spec_name!r}")
        named_counts = {name: counts.get(status, 0) for name, status in _STATUS_KEYS.items()}
        return named_counts | {"num_tasks": sum(counts.values())}

    async def _counts(self, work_spec_name: str) -> tuple[Any, str | None]:
        answer = await self._rpc("count_work_units", [work_spec_name])
        pair("count_work_units", answer)
        return split("count_work_units", answer)

    async def prioritize_work_units(
        self,
        work_spec_name: str,
        work_unit_keys: Iterable[str | bytes],
        priority: float | None = None,
        adjustment: float | None = None,
    ) -> bool:
        """Change which units come first; keys that do not wait any more are left alone.

        Args:
            work_spec_name: the spec they are of.
            work_unit_keys: which.
            priority: the new priority; higher runs first.
            adjustment: what to add to the old one. With neither, the priority becomes 1.

        Returns:
            Whether there is such a spec.
        """
        if priority is None and adjustment is None:
            priority = PRIORITY
        options = {
            "work_unit_keys": as_keys(work_unit_keys),
            "priority": priority,
            "adjustment": adjustment,
        }
        answer = await self._rpc("prioritize_work_units", [work_spec_name, options])
        return bool(pair("prioritize_work_units", answer))

    async def get_work_units(
        self,
        work_spec_name: str,
        work_unit_keys: Iterable[str | bytes] | None = None,
        state: States | None = None,
        limit: int | None = None,
        start: str | bytes | None = None,
    ) -> list[tuple[Any, Any]] | None:
        """Units and their data.

        Args:
            work_spec_name: the spec they are of.
            work_unit_keys: these, and no others; the other arguments are then not used.
            state: one status or several.
            limit: how many at most; a server gives 1,000 unasked, and never more than 10,000.
            start: the first key wanted.

        Returns:
            (key, data) of each: by key, or, with `state`, the highest priority first; the data is
            None for a key that there is not. None where there is no such spec.
        """
        keys = None if work_unit_keys is None else as_keys(work_unit_keys)
        asked = {"work_unit_keys": keys, "state": state, "limit": limit, "start": start}
        options = {name: value for name, value in asked.items() if value is not None}
        found = pair("get_work_units", await self._rpc("get_work_units", [work_spec_name, options]))
        return None if found is None else [readable_unit(unit) for unit in found]

    async def list_work_units(
        self, work_spec_name: str, start: int = 0, limit: int | None = None
    ) -> dict[Any, Any]:
        """Units that are available or pending, by key, of the first 10,000.

        Args:
            work_spec_name: the spec they are of.
            start: how many to skip.
            limit: how many at most.

        Raises:
            NoSuchWorkSpecError: where there is no such spec.
        """
        return await self._listed(work_spec_name, start, limit, (AVAILABLE, PENDING))

    async def list_finished_work_units(
        self, work_spec_name: str, start: int = 0, limit: int | None = None
    ) -> dict[Any, Any]:
        """Units that are finished; otherwise as `list_work_units`."""
        return await self._listed(work_spec_name, start, limit, (FINISHED,))

    async def _listed(
        self, work_spec_name: str, start: int, limit: int | None, state: tuple[int, ...]
    ) -> dict[Any, Any]:
        # The wire's start is a key; a position is counted from the beginning.
        most = _MOST_UNITS if limit is None else min(start + limit, _MOST_UNITS)
        units = await self.get_work_units(work_spec_name, state=state, limit=most)
        if units is None:
            raise NoSuchWorkSpecError(f"no such work spec {work_spec_name!r}")
        return dict(units[start:])

    async def del_work_units(
        self,
        work_spec_name: str,
        work_unit_keys: Iterable[str | bytes] | None = None,
        state: States | None = None,
        all: bool = False,
        cascade: bool = False,
    ) -> int:
        """Delete units; with no argument but the spec, none.

        Args:
            work_spec_name: the spec they are of.
            work_unit_keys: these.
            state: those with this status, or one of these; of the keys, where they are given.
            all: all of them.
            cascade: and the units that wait for any of these.

        Returns:
            How many were deleted: none where others wait for one of them, without `cascade`; why
            is logged.

        Raises:
            Unsupported: for `cascade`, where the server does not know it.
        """
        options: dict[str, Any] = {}
        if work_unit_keys is not None:
            options["work_unit_keys"] = as_keys(work_unit_keys)
        if state is not None:
            options["state"] = state
        if all:
            options["all"] = True
        if cascade:
            options["cascade"] = True
        answer = await self._with_options("del_work_units", [work_spec_name], options)
        return int(pair("del_work_units", answer, logging.INFO))

    async def get_work_unit_status(
        self, work_spec_name: str, work_unit_keys: str | bytes | Iterable[str | bytes]
    ) -> Any:
        """What state units are in.

        Args:
            work_spec_name: the spec they are of.
            work_unit_keys: one key, or several.

        Returns:
            A map with `status`, `expiration` (seconds since 1970, or None), perhaps `worker_id` and
            `traceback`, and where there is something to tell `reason` (why the server failed it),
            `failures`, `lost_leases`, `output_error`, `cancel` (why its worker is to end it),
            `depends_on` (a list of maps, 1,000 at most),
            `depends_on_count`, `blocked_by`; None for a key that there is not. For several keys
            a list of them, or None where there is no such spec.
        """
        answer = await self._rpc("get_work_unit_status", [work_spec_name, as_keys(work_unit_keys)])
        found = pair("get_work_unit_status", answer)
        if found is None:
            return None
        states = [named(state, "worker_id", "traceback") for state in found]
        return states[0] if isinstance(work_unit_keys, (str, bytes)) else states
