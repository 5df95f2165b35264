# Generated from _async/unit_calls.py by tools/unasync.py: change that file, not this one.
"""The calls about work units."""

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

from coordinate_client._sync.spec_calls import SpecCalls
from coordinate_client._sync.work_unit import WorkUnit
from coordinate_client.answers import (
    named,
    pair,
    readable,
    readable_unit,
    says_no_spec,
    says_not_owner,
    split,
)
from coordinate_client.exceptions import LostLease, NoSuchWorkSpecError
from coordinate_client.server import Server, check_options
from coordinate_client.units import WireUnit, as_keys, check_lease, check_units, slices
from coordinate_client.wanted import suitable, whole
from coordinate_protocol.constants import (
    AVAILABLE,
    BLOCKED,
    FAILED,
    FINISHED,
    PENDING,
    PRIORITY,
)

__all__ = ["UnitCalls"]

logger = logging.getLogger("coordinate_client")

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


class UnitCalls(SpecCalls):
    """What can be asked about work units."""

    def add_work_units(
        self, work_spec_name: str, work_unit_key_vals: Mapping[Any, Any] | Iterable[Any]
    ) -> bool:
        """Add units, or make existing ones available again with new data.

        Many are sent in slices, as they are made: where a later slice fails, those before it
        have been added, and the same call can be made again. So a unit that others need has to come
        before them where there may be more than one slice.

        Args:
            work_spec_name: the spec they are of.
            work_unit_key_vals: key to data, or (key, data) pairs, or (key, data, options) with
                options `priority`, `delay` (seconds) and `depends_on`: a list of what the unit
                needs, each a key of the same spec, (spec, key), or (spec, key, hard), where hard
                False means that it may fail.

        Returns:
            Whether they were added: False where there is no such spec, where a unit that is needed
            does not exist, and for a cycle. Which it was is logged.

        Raises:
            ProgrammerError: for an item that is no unit.
            Unsupported: for `delay` or `depends_on`, where the server does not know it.
        """
        added = False
        for units in slices(work_unit_key_vals):
            added = self._add_slice(work_spec_name, units)
            if not added:
                break
        return added

    def _add_slice(self, work_spec_name: str, units: list[WireUnit]) -> bool:
        def params(server: Server | None) -> list[Any]:
            check_units(units, server)
            return [work_spec_name, units]

        return bool(pair("add_work_units", self._call("add_work_units", params), logging.INFO))

    def update_bundle(
        self, work_spec: Mapping[str, Any], work_units: Mapping[Any, Any], nice: int | None = None
    ) -> None:
        """Set a work spec and add units to it.

        Args:
            work_spec: as for `set_work_spec`.
            work_units: key to data.
            nice: goes into the spec: 20 - nice is its weight where it has none of its own.
        """
        spec = dict(work_spec) if nice is None else dict(work_spec) | {"nice": nice}
        self.set_work_spec(spec)
        self.add_work_units(spec["name"], work_units)

    def count_work_units(self, work_spec_name: str) -> dict[int, int]:
        """How many units there are, by status; for an unknown spec what the server gives: False."""
        counts: dict[int, int]
        counts, _ = self._counts(work_spec_name)
        return counts

    def status(self, work_spec_name: str) -> dict[str, int]:
        """How many units there are, by name of the status.

        Returns:
            num_available, num_pending, num_blocked, num_finished, num_failed, and num_tasks, which
            counts delayed units too.

        Raises:
            NoSuchWorkSpecError: where there is no such spec.
        """
        counts, message = self._counts(work_spec_name)
        if counts is None or says_no_spec(message):
            raise NoSuchWorkSpecError(f"no such work spec {work_spec_name!r}")
        named_counts = {name: counts.get(status, 0) for name, status in _STATUS_KEYS.items()}
        return named_counts | {"num_tasks": sum(counts.values())}

    def _counts(self, work_spec_name: str) -> tuple[Any, str | None]:
        answer = self._rpc("count_work_units", [work_spec_name])
        pair("count_work_units", answer)
        return split("count_work_units", answer)

    def prioritize_work_units(
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
        answer = self._rpc("prioritize_work_units", [work_spec_name, options])
        return bool(pair("prioritize_work_units", answer))

    def get_work_units(
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
        found = pair("get_work_units", self._rpc("get_work_units", [work_spec_name, options]))
        return None if found is None else [readable_unit(unit) for unit in found]

    def list_work_units(
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
        return self._listed(work_spec_name, start, limit, (AVAILABLE, PENDING))

    def list_finished_work_units(
        self, work_spec_name: str, start: int = 0, limit: int | None = None
    ) -> dict[Any, Any]:
        """Units that are finished; otherwise as `list_work_units`."""
        return self._listed(work_spec_name, start, limit, (FINISHED,))

    def _listed(
        self, work_spec_name: str, start: int, limit: int | None, state: tuple[int, ...]
    ) -> dict[Any, Any]:
        # The wire's start is a key; a position is counted from the beginning.
        most = _MOST_UNITS if limit is None else min(start + limit, _MOST_UNITS)
        units = self.get_work_units(work_spec_name, state=state, limit=most)
        if units is None:
            raise NoSuchWorkSpecError(f"no such work spec {work_spec_name!r}")
        return dict(units[start:])

    def del_work_units(
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
        answer = self._with_options("del_work_units", [work_spec_name], options)
        return int(pair("del_work_units", answer, logging.INFO))

    def get_work_unit_status(
        self, work_spec_name: str, work_unit_keys: str | bytes | Iterable[str | bytes]
    ) -> Any:
        """What state units are in.

        Args:
            work_spec_name: the spec they are of.
            work_unit_keys: one key, or several.

        Returns:
            A map with `status`, `expiration` (seconds since 1970, or None), perhaps `worker_id` and
            `traceback`, and where there is something to tell `reason` (why the server failed it),
            `failures`, `lost_leases`, `output_error`, `depends_on` (a list of maps, 1,000 at most),
            `depends_on_count`, `blocked_by`; None for a key that there is not. For several keys
            a list of them, or None where there is no such spec.
        """
        answer = self._rpc("get_work_unit_status", [work_spec_name, as_keys(work_unit_keys)])
        found = pair("get_work_unit_status", answer)
        if found is None:
            return None
        states = [named(state, "worker_id", "traceback") for state in found]
        return states[0] if isinstance(work_unit_keys, (str, bytes)) else states

    def update_work_unit(
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
        return self.update_leased(work_spec_name, work_unit_key, options, None)

    def update_leased(
        self,
        work_spec_name: str,
        work_unit_key: str | bytes,
        options: Mapping[str, Any],
        worker_id: str | None,
    ) -> bool:
        """Change a unit on behalf of the worker that leases it.

        Args:
            work_spec_name: the spec it is of.
            work_unit_key: which.
            options: lease_time, status, data.
            worker_id: whose lease has to hold; None for nobody's. A 0.1.5 server is not told, as it
                would hand the lease over.

        Returns:
            Whether that was done; why not is logged.

        Raises:
            LostLease: where the worker has no lease on the unit any more.
            Unsupported: for an option that the server does not know.
        """
        fenced = False

        def params(server: Server | None) -> list[Any]:
            nonlocal fenced
            fenced = worker_id is not None and server is not None
            check_options("update_work_unit", options, server)
            owned = {"worker_id": worker_id} if fenced else {}
            return [work_spec_name, work_unit_key, dict(options) | owned]

        answer = self._call("update_work_unit", params)
        done, message = split("update_work_unit", answer)
        if not done and fenced and says_not_owner(message):
            raise LostLease(f"work unit {work_unit_key!r} of {work_spec_name!r}: {message}")
        return bool(pair("update_work_unit", answer))

    def retry(
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
        units = self.get_work_units(work_spec_name, work_unit_names) or []
        results = [self._retry_one(work_spec_name, key, data, delay) for key, data in units]
        return len(results) == len(work_unit_names) and all(results)

    def _retry_one(
        self, work_spec_name: str, key: str | bytes, data: Any, delay: float | None
    ) -> bool:
        had_traceback = isinstance(data, dict) and "traceback" in data
        clean = (
            {name: data[name] for name in data if name != "traceback"} if had_traceback else None
        )
        done = self.update_work_unit(work_spec_name, key, 0, AVAILABLE, clean, delay)
        if not done:
            logger.info("work unit %r of %r cannot be retried", key, work_spec_name)
        return done

    def get_work(
        self,
        worker_id: str,
        available_gb: float | None = None,
        lease_time: float | None = None,
        work_spec_names: Iterable[str] | None = None,
        max_jobs: int | None = 1,
        runtimes: Iterable[str] | None = None,
    ) -> Any:
        """Lease units to work on.

        Args:
            worker_id: who asks.
            available_gb: memory there is; specs that need more are passed over.
            lease_time: seconds, at most a day; None for the setting `default_lifetime`.
            work_spec_names: only of these specs.
            max_jobs: how many at most, all of one spec.
            runtimes: only of specs with one of these as their `runtime`, or with none.

        Returns:
            For max_jobs 1 a WorkUnit, or None where there is nothing to do; otherwise a list.

        Raises:
            ProgrammerError: for a lease that no server gives.
            ValueError: for a memory or a number of jobs that is not a number.
            Unsupported: for `runtimes`, where the server does not know it.
        """
        lease = check_lease(self.settings.default_lifetime if lease_time is None else lease_time)
        most = 1 if max_jobs is None else whole("max_jobs", max_jobs)
        options: dict[str, Any] = {"max_jobs": most, "lease_time": lease}
        options |= suitable(available_gb, work_spec_names, runtimes)
        asked_at = time.time()
        answer = self._with_options("get_work", [worker_id], options)
        found = pair("get_work", answer, logging.INFO)
        handed = [found] if most == 1 else found
        units = [
            WorkUnit(self, readable(spec), readable(key), data, worker_id, asked_at + lease, lease)
            for spec, key, data in handed
            if key is not None
        ]
        return units if most != 1 else next(iter(units), None)

    def get_child_work_units(self, worker_id: str) -> dict[str, list[WorkUnit]]:
        """What the children of a worker have leased.

        Args:
            worker_id: the parent.

        Returns:
            The units of each child that has any; `expires` is by the server's clock.
        """
        answer = self._rpc("get_child_work_units", [worker_id])
        found = pair("get_child_work_units", answer, logging.ERROR) or {}
        return {
            readable(child): [self._child_unit(part) for part in parts]
            for child, parts in found.items()
            if parts
        }

    def _child_unit(self, part: Mapping[str, Any]) -> WorkUnit:
        known = named(part, "work_spec_name", "work_unit_key", "worker_id")
        return WorkUnit(
            self,
            known.get("work_spec_name"),
            known.get("work_unit_key"),
            known.get("work_unit_data"),
            known.get("worker_id"),
            known.get("expires"),
            self.settings.default_lifetime,
        )
