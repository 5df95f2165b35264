"""What the specs of one namespace share: limits, who holds what, and what has changed."""

from typing import TYPE_CHECKING

from coordinate_server.model.feed import Feed
from coordinate_server.model.limits import Limit
from coordinate_server.model.locks import Locks
from coordinate_server.model.order_news import OrderNews
from coordinate_server.model.unit import Unit

if TYPE_CHECKING:
    from coordinate_server.model.core import Core
    from coordinate_server.model.roster import Roster

__all__ = ["Ground"]


class Ground:
    """The shared ground of one namespace.

    Arguments:
        core: what all namespaces share.
        name: the namespace's name.
    """

    def __init__(self, core: "Core", name: str) -> None:
        self.core, self.name = core, name
        self.dependencies = core.dependencies
        # What each worker has in its hands, in the order in which it got it.
        self.held: dict[str, dict[Unit, Roster]] = {}
        # Those of these that their workers are to end.
        self.cancels: dict[str, dict[Unit, Roster]] = {}
        self.news = OrderNews()
        self.limits = {limit: Limit(limit, most) for limit, most in core.settings.limits.items()}
        # What has changed since the scheduler last asked.
        self.touched: dict[Roster, None] = {}
        self.touched_limits: dict[Limit, None] = {}
        self.feed = Feed(core)
        self.locks = Locks(core, name, self.feed)
        # Specs whose next unit needs locks, and rests on their being free.
        self.lock_bound: dict[Roster, None] = {}
        # What has changed since those were looked at who wait for work; None for everything.
        self.stirred: dict[Roster | Limit, None] | None = {}

    def limit(self, name: str) -> Limit:
        """Give a limit; one that the server does not define lets nothing run."""
        limit = self.limits.get(name)
        if limit is None:
            limit = self.limits[name] = Limit(name, None)
        return limit

    def bind_to_locks(self, roster: "Roster", *, bound: bool) -> None:
        """Note whether what a spec can hand out next rests on locks that are free."""
        if bound:
            self.lock_bound[roster] = None
        else:
            self.lock_bound.pop(roster, None)

    def touch(self, roster: "Roster") -> None:
        """Note that what a spec can hand out may have changed."""
        self.touched[roster] = None
        if self.stirred is not None:
            self.stirred[roster] = None

    def touch_limit(self, limit: Limit) -> None:
        """Note that how many units count for a limit has changed."""
        self.touched_limits[limit] = None
        if self.stirred is not None:
            self.stirred[limit] = None

    def hold(self, unit: Unit, roster: "Roster") -> None:
        """Note that a worker has a unit."""
        if unit.worker_id is not None:
            self.held.setdefault(unit.worker_id, {})[unit] = roster
            if unit.history is not None and unit.history.cancel is not None:
                self.ask_to_end(unit, roster)

    def unhold(self, unit: Unit) -> None:
        """Note that the worker that has a unit has it no more."""
        if unit.worker_id is None:
            return
        units = self.held[unit.worker_id]
        del units[unit]
        if not units:
            del self.held[unit.worker_id]
        if self.cancels:
            self._ask_no_more(unit, unit.worker_id)

    def ask_to_end(self, unit: Unit, roster: "Roster") -> None:
        """Have the worker that has a unit be told to end it."""
        if unit.worker_id is not None:
            self.cancels.setdefault(unit.worker_id, {})[unit] = roster
            self.news.note(unit.worker_id)

    def _ask_no_more(self, unit: Unit, worker_id: str) -> None:
        units = self.cancels.get(worker_id, {})
        if units.pop(unit, None) is not None:
            self.news.note(worker_id)
            if not units:
                del self.cancels[worker_id]

    def take_stirred(self) -> frozenset[str] | None:
        """Give the names of the specs that may have work now and had none; None for any."""
        stirred, self.stirred = self.stirred, {}
        if stirred is None:
            return None
        names: set[str] = set()
        for item in stirred:
            users = item.users if isinstance(item, Limit) else (item,)
            names.update(roster.spec.name for roster in users)
        return frozenset(names)
