"""The whole state of a model as plain values, and a store that is a dict."""

from attrs import astuple

from coordinate_server.model import Instant, Model, ModelSettings
from coordinate_server.model.attempts import attempts_of
from coordinate_server.model.changes import DELETE, DROP, PUT


class Rows:
    """What a store would hold, after the changes of a model."""

    def __init__(self):
        self.rows = {}
        self.dropped = set()

    def apply(self, changes):
        """Do what a store does with one commit."""
        for op, table, key, value in changes:
            if op == PUT:
                assert (table, key[:8]) not in self.dropped
                self.rows[table, key] = value
            elif op == DELETE:
                self.rows.pop((table, key), None)
            else:
                assert op == DROP
                self.dropped.add((table, key))
                for row in [r for r in self.rows if r[0] == table and r[1].startswith(key)]:
                    del self.rows[row]

    def load(self, at, settings=None, reader=None):
        """Rebuild a model from the rows."""
        rows = ((table, key, value) for (table, key), value in self.rows.items())
        return Model.load(rows, at, settings, reader)

    def get(self, table, key):
        """Give one row, as a store does."""
        return self.rows.get((table, key))

    def scan(self, table, prefix=b"", after=None, limit=1000):
        """Give a page of rows, as a store does."""
        found = ((key, value) for (number, key), value in self.rows.items() if number == table)
        rows = sorted((key, value) for key, value in found if key.startswith(prefix))
        return [(key, value) for key, value in rows if after is None or key > after][:limit]

    def loaded_snapshot(self, now, wall):
        """The state that the rows alone give, without any grace."""
        return snapshot(self.load(Instant(now, wall), ModelSettings(restart_grace=0)))


def snapshot(model):
    """Everything that must survive a restart."""
    found = {name: _namespace(space) for name, space in model._namespaces.items()}
    return {name: value for name, value in found.items() if any(value)}


def _namespace(space):
    specs = {name: _roster(roster) for name, roster in space._rosters.items()}
    workers = {
        w.worker_id: (w.mode, w.parent, w.heard, w.expiry, w.hosts)
        for w in space.workers.by_id.values()
    }
    held = {worker: sorted(u.key for u in units) for worker, units in space._ground.held.items()}
    cancels = {
        worker: sorted(u.key for u in units) for worker, units in space._ground.cancels.items()
    }
    return specs, workers, held, cancels, dict(space.workers.modes.kept)


def _roster(roster):
    units = {unit.key: unit.view() for unit in roster.units.values()}
    pending = sorted(unit.key for unit in roster.pending)
    archived = {status: number for status, number in roster.archived.items() if number}
    first = roster.ready.first()
    # Whose turn it is among values of fair_key begins anew.
    taking_turns = roster.spec.lanes is not None and roster.spec.lanes.fair_key is not None
    ready = None if first is None or taking_turns else first.key
    handed = None if roster.rate_log is None else list(roster.rate_log.moments)
    state = (roster.key, roster.spec, archived, astuple(roster.maker), handed)
    past = {unit.key: (attempts_of(unit), _needs(unit)) for unit in roster.units.values()}
    return units, (*state, pending, roster.counts(), ready, past)


def _needs(unit):
    links = unit.links
    if links is None or not (links.earlier or links.later):
        return None
    graph = links.owner._ground.dependencies._graph
    needs = {(earlier.key, hard) for earlier, hard in graph.needs(unit).items()}
    return needs, {later.key for later in graph.needed_by(unit)}, links.unmet, links.broken
