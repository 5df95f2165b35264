"""The operations on what units need of each other."""

from coordinate_protocol.errors import shown
from coordinate_server.model.errors import NoSuchSpec, NotAdded
from coordinate_server.service.call import Call
from coordinate_server.service.edges import edge
from coordinate_server.service.units import no_spec

__all__ = ["DependencyCalls"]

Pair = tuple[bool, str | None]


class DependencyCalls:
    """Dependencies: which unit waits for which."""

    def add_dependent_work_units(
        self, call: Call, later: object, earlier: object, hard: object = None
    ) -> Pair:
        """Have one unit need another; gives (true, null) or (false, why not)."""
        return self.add_dependencies(call, [(later, earlier, hard)])

    def add_dependencies(self, call: Call, edges: object) -> Pair:
        """Have units need others, all or nothing; gives (true, null) or (false, why not)."""
        if not isinstance(edges, list | tuple):
            raise ValueError(f"edges should be an array, not {shown(edges)}")
        read = [edge(said) for said in edges]
        try:
            call.namespace.add_dependencies(call.at, read)
        except NoSuchSpec as error:
            return False, no_spec(error.name)
        except NotAdded as error:
            return False, str(error)
        return True, None
