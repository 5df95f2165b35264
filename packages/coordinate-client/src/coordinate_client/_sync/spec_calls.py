# Generated from _async/spec_calls.py by tools/unasync.py: change that file, not this one.
"""The calls about work specs."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from coordinate_client._sync.rpc import CborRpcClient
from coordinate_client.answers import pair, readable, readable_spec, split
from coordinate_client.specs import application_config, flow_specs, validate_work_spec
from coordinate_protocol.constants import PAUSED, RUNNABLE

__all__ = ["SpecCalls"]

logger = logging.getLogger("coordinate_client")


class SpecCalls(CborRpcClient):
    """What can be asked about work specs."""

    @classmethod
    def validate_work_spec(cls, work_spec: Mapping[str, Any]) -> None:
        """Check what every work spec needs: a `name`, and a number as `min_gb`.

        Raises:
            ProgrammerError: where it lacks one of them.
        """
        validate_work_spec(work_spec)

    def set_work_spec(self, work_spec: Mapping[str, Any]) -> bool:
        """Create or replace a work spec; its units stay.

        Args:
            work_spec: has `name` and `min_gb`; the wire reference lists the other keys.

        Raises:
            ProgrammerError: for one that is not valid; nothing is sent then.
        """
        validate_work_spec(work_spec)
        return bool(pair("set_work_spec", self._rpc("set_work_spec", [dict(work_spec)])))

    def get_work_spec(self, work_spec_name: str) -> dict[str, Any] | None:
        """The work spec as it was set, or None where there is none."""
        found: dict[str, Any] | None = readable_spec(self._rpc("get_work_spec", [work_spec_name]))
        return found

    def get_work_spec_meta(self, work_spec_name: str) -> dict[str, Any] | None:
        """How a spec is scheduled: status, continuous, interval, max_running, weight; or None."""
        answer = self._rpc("get_work_spec_meta", [work_spec_name])
        found: dict[str, Any] | None = pair("get_work_spec_meta", answer)
        return found

    def control_work_spec(self, work_spec_name: str, options: Mapping[str, Any]) -> bool:
        """Change how a spec is scheduled.

        Args:
            work_spec_name: which.
            options: any of status, continuous, interval, max_running, weight.

        Returns:
            Whether the server did so; why not is logged.
        """
        answer = self._rpc("control_work_spec", [work_spec_name, dict(options)])
        return bool(pair("control_work_spec", answer, logging.INFO))

    def pause_work_spec(self, work_spec_name: str, paused: bool = True) -> bool:
        """Pause a spec, so that none of its units is handed out, or resume it.

        Args:
            work_spec_name: which.
            paused: False resumes it.

        Returns:
            Whether there is such a spec.
        """
        status = PAUSED if paused else RUNNABLE
        return self.control_work_spec(work_spec_name, {"status": status})

    def list_work_specs(
        self, limit: int | None = None, start: str | None = None
    ) -> tuple[list[tuple[str, dict[str, Any]]], str | None]:
        """One page of the work specs, by name.

        Args:
            limit: how many at most; None for all.
            start: the first name wanted.

        Returns:
            (name, spec) of each, and where the next page starts, or None after the last.
        """
        asked = {"limit": limit, "start": start}
        options = {name: value for name, value in asked.items() if value is not None}
        answer = self._rpc("list_work_specs", [options])
        found, following = split("list_work_specs", answer)
        specs = [readable_spec(spec) for spec in found]
        return [(spec["name"], spec) for spec in specs], readable(following)

    def iter_work_specs(
        self, limit: int | None = None, start: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """All work specs, page by page.

        Args:
            limit: how many at most; None for all.
            start: the first name wanted.

        Yields:
            The specs, by name.
        """
        seen: set[str] = set()
        while limit is None or len(seen) < limit:
            left = None if limit is None else limit - len(seen)
            page, start = self.list_work_specs(left, start)
            # A 0.1.5 server gives the first page again for every start.
            fresh = [(name, spec) for name, spec in page if name not in seen]
            for name, spec in fresh[:left]:
                seen.add(name)
                yield spec
            if start is None or not fresh:
                return

    def del_work_spec(self, work_spec_name: str, cascade: bool = False) -> bool:
        """Delete a work spec and its units.

        Args:
            work_spec_name: which.
            cascade: delete the units of other specs that wait for them, too.

        Returns:
            Whether it was deleted: False where there is none, and, without `cascade`, where units
            of other specs wait for its units. Which it was is logged.

        Raises:
            Unsupported: for `cascade`, where the server does not know it.
        """
        if cascade:
            answer = self._with_options("del_work_spec", [work_spec_name], {"cascade": True})
        else:
            answer = self._rpc("del_work_spec", [work_spec_name])
        return bool(pair("del_work_spec", answer, logging.INFO))

    def clear(self) -> int:
        """Delete all work specs and their units; how many specs there were."""
        return int(self._rpc("clear"))

    def archive(self, work_spec_names: list[str] | None = None) -> None:
        """Let the server forget ended units beyond what its settings keep.

        Args:
            work_spec_names: of these specs; None for all.
        """
        options = {} if work_spec_names is None else {"work_spec_names": work_spec_names}
        self._rpc("archive", [options])

    def add_flow(self, flow: Mapping[str, Any], config: Mapping[str, Any] | None = None) -> None:
        """Set several work specs that belong together.

        Args:
            flow: names to work specs (maps with `min_gb`) or to further flows, whose names are
                joined with ".".
            config: a whole configuration, which each spec's own is laid over; None for the
                application's, where it has set yakonfig up.

        Raises:
            ProgrammerError: for an invalid spec, or a `then` that leads out of the flow; nothing is
                sent then.
        """
        for spec in flow_specs(flow, application_config() if config is None else config):
            self.set_work_spec(spec)

    def get_server_config(self) -> dict[str, Any]:
        """The server's configuration, without its secrets."""
        found: dict[str, Any] = pair("get_config", self._rpc("get_config"), logging.WARNING)
        return found
