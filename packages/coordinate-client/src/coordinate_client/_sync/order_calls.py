# Generated from _async/order_calls.py by tools/unasync.py: change that file, not this one.
"""The calls that ask something of workers, and tell what was asked."""

from collections.abc import Iterable
from typing import Any

from coordinate_client._sync.rpc import CborRpcClient
from coordinate_client.answers import halves, pair, readable, split
from coordinate_client.exceptions import NoSuchWorkSpecError
from coordinate_client.orders import readable_worker

__all__ = ["OrderCalls"]

# So many units are cancelled by one message, for other calls to get their turn between two.
_SLICE = 1000


class OrderCalls(CborRpcClient):
    """What people ask of workers. All raise Unsupported where the server knows no orders."""

    def cancel(
        self,
        work_spec_name: str,
        *work_unit_keys: str | bytes,
        reason: str | None = None,
        now: bool = False,
    ) -> list[str]:
        """End units that nobody is to work on any more; they fail, and are not tried again.

        Args:
            work_spec_name: the spec they are of.
            work_unit_keys: which.
            reason: why, for people.
            now: do not wait for the workers that have them: they lose their leases at once.

        Returns:
            For each key, in order: "cancelled" for one that has failed by it, "asked" for one whose
            worker is told to end it, "ended" for one that had ended before, "unknown" for one that
            there is not.

        Raises:
            NoSuchWorkSpecError: where there is no such spec.
        """
        keys, results = list(work_unit_keys), []
        asked = {"reason": reason, "now": now or None}
        options = {name: value for name, value in asked.items() if value is not None}
        for start in range(0, len(keys), _SLICE):
            params = [work_spec_name, keys[start : start + _SLICE], options]
            found, message = split("cancel_work_units", self._rpc("cancel_work_units", params))
            if found is None:
                raise NoSuchWorkSpecError(message or f"no such work spec {work_spec_name!r}")
            results += [readable(result) for result in found]
        return results

    def set_modes(
        self,
        mode: str,
        worker_ids: Iterable[str] = (),
        hosts: Iterable[str] = (),
        everyone: bool = False,
    ) -> int:
        """Ask workers to run, to take no more work, or to end once they are done.

        What is asked of a worker itself counts before what is asked of its parent, that before
        what is asked of its host, and that before what is asked of everyone.

        Args:
            mode: RUN, IDLE (finish what runs, take no more, stay) or TERMINATE (finish, and exit).
            worker_ids: of these workers.
            hosts: of all workers on these hosts, also those that come later.
            everyone: of all workers, also those that come later.

        Returns:
            How many workers that are there it concerns.
        """
        options: dict[str, Any] = {"worker_ids": list(worker_ids), "hosts": list(hosts)}
        if everyone:
            options["all"] = True
        return int(pair("set_mode", self._rpc("set_mode", [mode, options])))

    def asked_modes(self) -> dict[str, Any]:
        """What is asked of whom: `all` (a mode or None), `hosts` and `workers`, each to a mode."""
        found = pair("list_asked_modes", self._rpc("list_asked_modes"))
        told: dict[str, Any] = {"all": readable(found.get("all"))}
        for kind in ("hosts", "workers"):
            modes = found.get(kind, {})
            told[kind] = {readable(name): readable(mode) for name, mode in modes.items()}
        return told

    def list_workers(
        self, worker_ids: Iterable[str] | None = None, host: str | None = None
    ) -> list[dict[str, Any]]:
        """All workers, with what each of them has.

        Args:
            worker_ids: these, as far as they are there.
            host: those on this host.

        Returns:
            Maps with `worker_id`, `mode` (what it does), `asked` (what is asked of it),
            `age_seconds` (since it was heard of), `data` (what it said), `units` (the first 100,
            each with `work_spec_name`, `work_unit_key`, `attempt`, `lease_left`, `since` in
            seconds, and perhaps `cancel`: why it is to end), `units_count`, and perhaps `parent`,
            `host` and `expires_in`; by name.
        """
        options: dict[str, Any] = {} if host is None else {"host": host}
        if worker_ids is not None:
            options["worker_ids"] = list(worker_ids)
        found: list[dict[str, Any]] = []
        while True:
            answer = self._rpc("list_workers", [options])
            page, following = halves("list_workers", answer)
            found += [readable_worker(worker) for worker in page]
            if following is None:
                return found
            options["start"] = following

    def request_packages(self, worker_ids: Iterable[str]) -> int:
        """Ask workers to say which packages are installed; how many of them are there.

        Those that can be told say it at once; it is `packages` in their `get_heartbeat` then.
        """
        answer = self._rpc("request_packages", [list(worker_ids)])
        return int(pair("request_packages", answer))
