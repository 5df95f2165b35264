# Generated from _async/dependency_calls.py by tools/unasync.py: change that file, not this one.
"""The calls that let work units need others."""

import logging
from collections.abc import Iterable
from typing import Any

from coordinate_client._sync.rpc import CborRpcClient
from coordinate_client.answers import pair
from coordinate_client.dependencies import wire_edge, wire_end

__all__ = ["DependencyCalls"]


class DependencyCalls(CborRpcClient):
    """What can be told about which unit needs which; `add_work_units` has `depends_on` besides."""

    def add_dependent_work_units(self, later: Any, earlier: Any, hard: bool = True) -> bool:
        """Let one unit need another: it is blocked until that one has ended.

        Args:
            later: (spec, key) of a unit that exists, or (spec, key, data), which adds it, or makes
                it available again with these data.
            earlier: the same of the unit that is needed.
            hard: whether `earlier` has to finish, and `later` fails if it fails; False lets
                `later` run either way.

        Returns:
            Whether that was done; why not is logged, and nothing has changed then.

        Raises:
            ProgrammerError: for a unit in another form.
            Unsupported: where the server does not have it.
        """
        params = [wire_end(later), wire_end(earlier), hard]
        answer = self._rpc("add_dependent_work_units", params)
        return bool(pair("add_dependent_work_units", answer, logging.INFO))

    def add_dependencies(self, edges: Iterable[Any]) -> bool:
        """Let units need others: all of the edges, or none.

        They go in one call, which has to fit into a message (16 MiB, unless the server is set up
        otherwise) with the data of the units that it adds.

        Args:
            edges: (later, earlier) or (later, earlier, hard) each; otherwise as for
                `add_dependent_work_units`. A unit in several edges needs its data in one of them.

        Returns:
            Whether that was done; why not is logged, and nothing has changed then.

        Raises:
            ProgrammerError: for an edge in another form.
            Unsupported: where the server does not have it.
        """
        params = [[wire_edge(edge) for edge in edges]]
        answer = self._rpc("add_dependencies", params)
        return bool(pair("add_dependencies", answer, logging.INFO))
