# Generated from _async/explain_calls.py by tools/unasync.py: change that file, not this one.
"""The calls that tell why: what became of a unit, and what it, a spec or a worker waits for."""

import logging
from collections.abc import Iterable
from typing import Any

from coordinate_client._sync.rpc import CborRpcClient
from coordinate_client.answers import pair, says_no_spec, split
from coordinate_client.exceptions import NoSuchWorkSpecError, NoSuchWorkUnitError
from coordinate_client.wanted import suitable

__all__ = ["ExplainCalls"]


class ExplainCalls(CborRpcClient):
    """What can be asked about reasons; each reason has a `code` for programs."""

    def get_work_unit_attempts(
        self, work_spec_name: str, work_unit_key: str | bytes
    ) -> list[dict[str, Any]]:
        """Who had a unit, when, and what came of it.

        Args:
            work_spec_name: the spec it is of.
            work_unit_key: which.

        Returns:
            The newest 100, oldest first: `attempt` (from 1), `worker_id`, `began` and `ended`
            (seconds since 1970), `outcome` ("pending", "finished", "failed", "lost", "released" or
            "replaced"), perhaps `reason` and `traceback`.

        Raises:
            NoSuchWorkSpecError: where there is no such spec.
            NoSuchWorkUnitError: where it has no such unit.
            Unsupported: where the server does not have it.
        """
        found: list[dict[str, Any]] = self._of_unit(
            "get_work_unit_attempts", work_spec_name, work_unit_key
        )
        return found

    def explain_work_unit(self, work_spec_name: str, work_unit_key: str | bytes) -> dict[str, Any]:
        """Why a unit is where it is.

        Args:
            work_spec_name: the spec it is of.
            work_unit_key: which.

        Returns:
            `status`; `text`, a sentence; `reasons`, what holds it back, the first thing first: each
            a map with `code`, `text` and details.

        Raises:
            NoSuchWorkSpecError: where there is no such spec.
            NoSuchWorkUnitError: where it has no such unit.
            Unsupported: where the server does not have it.
        """
        found: dict[str, Any] = self._of_unit("explain_work_unit", work_spec_name, work_unit_key)
        return found

    def explain_work_spec(self, work_spec_name: str) -> dict[str, Any]:
        """Why units of a spec are handed out, or are not.

        Args:
            work_spec_name: which.

        Returns:
            `text`, a sentence; `counts`, numbers of units by state, and in `waiting` by what holds
            them back; `reasons`, each with `code`, `text` and details.

        Raises:
            NoSuchWorkSpecError: where there is no such spec.
            Unsupported: where the server does not have it.
        """
        answer = self._rpc("explain_work_spec", [work_spec_name])
        found: dict[str, Any] | None
        found, message = split("explain_work_spec", answer)
        if found is None or says_no_spec(message):
            raise NoSuchWorkSpecError(f"no such work spec {work_spec_name!r}")
        return found

    def explain_worker(
        self,
        worker_id: str,
        available_gb: float | None = None,
        work_spec_names: Iterable[str] | None = None,
        runtimes: Iterable[str] | None = None,
    ) -> dict[str, Any]:
        """What a worker would be given by `get_work` with the same arguments, and why.

        Args:
            worker_id: who would ask.
            available_gb: memory there is; specs that need more are passed over.
            work_spec_names: only of these specs.
            runtimes: only of specs with one of these as their `runtime`, or with none.

        Returns:
            `text`, a sentence; `would_get`, the unit's `work_spec_name` and `work_unit_key`, or
            None; `holds`, the units it has; `specs`, the `reasons` for each spec, and perhaps its
            `place`, from 1.

        Raises:
            ValueError: for a memory that is not a number.
            Unsupported: where the server does not have it.
        """
        options = suitable(available_gb, work_spec_names, runtimes)
        answer = self._with_options("explain_worker", [worker_id], options)
        found: dict[str, Any] = pair("explain_worker", answer, logging.INFO)
        return found

    def _of_unit(self, method: str, spec: str, key: str | bytes) -> Any:
        found, message = split(method, self._rpc(method, [spec, key]))
        if says_no_spec(message):
            raise NoSuchWorkSpecError(f"no such work spec {spec!r}")
        if found is None:
            raise NoSuchWorkUnitError(f"no such work unit {key!r} in {spec!r}")
        return found
