"""Which spec the next hand-out comes from.

First what may run at all (``gates``); then no spec whose work further down the chain goes first
(``routes``); then the highest (spec priority, priority of its best unit); then weights
(``fairness``).

Whoever asks alike shares a ``View``; what changes is noted once and taken in by a view when it is
asked next, so that a choice costs what has changed, not what there is.
"""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Mapping

from attrs import define

from coordinate_server.model.calls import WorkRequest
from coordinate_server.model.fairness import Contender
from coordinate_server.model.gates import IDLE, closed_gate
from coordinate_server.model.ground import Ground
from coordinate_server.model.instant import Instant
from coordinate_server.model.limits import Limit
from coordinate_server.model.roster import Roster
from coordinate_server.model.routes import Routes
from coordinate_server.model.view import View

__all__ = ["Choice", "Scheduler", "misfits"]

_VIEWS_KEPT = 256
"""So many different ways of asking are remembered; one that is forgotten begins anew."""

_RECENT = 300.0
"""Seconds for which a way of asking counts as one that somebody has."""

_NOTED = 1.0
"""Seconds after which it is noted again that somebody asks so."""

_Asks = tuple[frozenset[str] | None, frozenset[str] | None]
_Asked = tuple[frozenset[str] | None, int | None, frozenset[str] | None]


@define
class Choice:
    """A spec to hand out from.

    Arguments:
        roster: the spec.
        view: the way of asking that it was chosen for.
        contender: its place there.
    """

    roster: Roster
    view: View
    contender: Contender


class Scheduler:
    """Chooses among the specs of one namespace.

    Arguments:
        rosters: the specs by name; the namespace's own dict.
        ground: what they share.
    """

    def __init__(self, rosters: Mapping[str, Roster], ground: Ground) -> None:
        self._rosters, self._ground = rosters, ground
        # How often the sizes that specs need have changed, by which ways of asking differ.
        self._version = 0
        self._routes: Routes | None = None
        self._sizes: list[float] = []
        self._views: OrderedDict[_Asked, View] = OrderedDict()
        # Specs and limits in the order in which they last changed, with when that was.
        self._changed: OrderedDict[Roster | Limit, int] = OrderedDict()
        self._full: dict[Limit, bool] = {}
        self._serial = self._locks_seen = 0
        # Who asked lately: by names and runtimes, when, and the most memory; None is any.
        self._asks: OrderedDict[_Asks, tuple[float, float | None]] = OrderedDict()

    def specs_changed(self) -> None:
        """Begin anew: a spec came or went, or a weight, a chain or a filter is another.

        Shares are counted from here on.
        """
        self._routes = None
        self._ground.stirred = None
        for view in self._views.values():
            view.let_go()
        self._views.clear()
        self._changed.clear()

    def choose(self, at: Instant, request: WorkRequest) -> Choice | None:
        """Choose a spec for a worker; None if there is nothing for it.

        The same state and arguments give the same choice. What comes of it is told by ``charge``.
        """
        self._note_asked(at, request)
        view = self.view(at, request)
        contender = view.first()
        return None if contender is None else Choice(contender.item, view, contender)

    def charge(self, choice: Choice, number: int) -> None:
        """Count hand-outs that came of a choice, before anything else is asked.

        Arguments:
            choice: what ``choose`` gave.
            number: how many units were handed out.
        """
        choice.view.charge(choice.contender, number)

    def view(self, at: Instant, request: WorkRequest) -> View:
        """Give the view of those who ask so, with all that has changed taken in."""
        self._look(at)
        asked, routes = self.way(request), self._known_routes()
        view = self._views.get(asked)
        if view is None:
            able = [roster for roster in self._rosters.values() if suits(roster, request)]
            view = self._views[asked] = View(able, routes)
            view.seen = self._serial
            if len(self._views) > _VIEWS_KEPT:
                self._views.popitem(last=False)[1].let_go()
        else:
            self._views.move_to_end(asked)
            self._catch_up(view)
        return view

    def way(self, request: WorkRequest) -> _Asked:
        """Give what those have in common who are shown the same view."""
        self._known_routes()
        gigabytes, sizes = request.available_gb, self._sizes
        size = None if gigabytes is None else bisect_right(sizes, gigabytes)
        return request.spec_names, None if size == len(sizes) else size, request.runtimes

    def _known_routes(self) -> Routes:
        if self._routes is None:
            self._routes = Routes(self._rosters)
            sizes = sorted({roster.spec.min_gb for roster in self._rosters.values()})
            self._version += sizes != self._sizes
            self._sizes = sizes
        return self._routes

    @property
    def version(self) -> int:
        """A number that changes when ``way`` may give something else."""
        self._known_routes()
        return self._version

    def _note_asked(self, at: Instant, request: WorkRequest) -> None:
        asked, gigabytes = (request.spec_names, request.runtimes), request.available_gb
        known = self._asks.get(asked)
        if known is not None and at.now - known[0] < _NOTED and _covers(known[1], gigabytes):
            return
        then, most = self._asks.get(asked, (at.now - 2 * _RECENT, 0.0))
        if at.now - then <= _RECENT and (most is None or (gigabytes or 0) < most):
            gigabytes = most if gigabytes is not None else None
        self._asks[asked] = at.now, gigabytes
        self._asks.move_to_end(asked)
        if len(self._asks) > _VIEWS_KEPT:
            self._asks.popitem(last=False)

    def asked_lately(self, at: Instant) -> list[WorkRequest]:
        """Give the ways in which work was asked for lately, each with the most memory."""
        return [
            WorkRequest(spec_names=names, runtimes=runtimes, available_gb=gigabytes)
            for (names, runtimes), (then, gigabytes) in self._asks.items()
            if at.now - then <= _RECENT
        ]

    def _look(self, at: Instant) -> None:
        """See what the specs and limits that were touched can do now."""
        ground = self._ground
        # What was free may be locked by now.
        if ground.locks.tree.puts != self._locks_seen:
            self._locks_seen = ground.locks.tree.puts
            ground.touched |= ground.lock_bound
        touched, ground.touched = ground.touched, {}
        for roster in touched:
            gate = closed_gate(roster, at)
            best = None if gate is not None else roster.best_priority()
            rank = None if best is None else (roster.spec.priority, best)
            if rank != roster.rank:
                roster.rank, roster.idle = rank, gate is IDLE
                self._note(roster)
            if roster.more_to_see:
                ground.touch(roster)
        for limit in ground.touched_limits:
            full = not limit.room()
            if full != self._full.get(limit, False):
                self._full[limit] = full
                self._note(limit)
        ground.touched_limits.clear()

    def _note(self, changed: Roster | Limit) -> None:
        self._serial += 1
        self._changed[changed] = self._serial
        self._changed.move_to_end(changed)

    def _catch_up(self, view: View) -> None:
        if view.seen == self._serial:
            return
        new = []
        for changed in reversed(self._changed):
            if self._changed[changed] <= view.seen:
                break
            new.append(changed)
        for changed in reversed(new):
            if isinstance(changed, Limit):
                view.update_limit(changed)
            else:
                view.update(changed)
        view.seen = self._serial


def _covers(most: float | None, gigabytes: float | None) -> bool:
    """Whether the memory of those who asked is not less than this; None is any."""
    return most is None or (gigabytes is not None and gigabytes <= most)


def suits(roster: Roster, request: WorkRequest) -> bool:
    """Whether those who ask so may be given units of a spec at all."""
    return not misfits(roster, request)


def misfits(roster: Roster, request: WorkRequest) -> list[str]:
    """Give the codes of what in a request keeps a spec from it, in order."""
    spec, found = roster.spec, []
    if request.spec_names is not None and spec.name not in request.spec_names:
        found.append("not_asked_for")
    if request.available_gb is not None and spec.min_gb > request.available_gb:
        found.append("min_gb")
    if request.runtimes is not None and spec.runtime not in {None, *request.runtimes}:
        found.append("runtime")
    return found
