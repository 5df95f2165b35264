"""What the server should do about everything, as plainly as the plain oracle says the main part."""

from typing import Any

from tests.model.oracle import AVAILABLE, DELAYED, FAILED, FINISHED, PENDING
from tests.model.oracle_dependencies import BLOCKED, RESTING, Edges
from tests.model.oracle_handouts import HandoutOracle

ENDED = (FINISHED, FAILED)


class WideOracle(HandoutOracle):
    """The oracle with dependencies, retries, limits, lanes, rates and made-up units."""

    def __init__(self, now, wall, grace=60, keep=2, limits=None):
        super().__init__(now, wall, grace, keep, limits)
        self.edges = Edges(self.status)
        # What the status of each unit was when everything last rested.
        self.seen = {}
        self.refused = []

    def unit(self, name, key):
        return self.specs.get(name, {"units": {}})["units"].get(key)

    def status(self, unit):
        return self.unit(*unit)["status"]

    def all_units(self):
        return [(name, key) for name, spec in self.specs.items() for key in spec["units"]]

    def all_pending(self):
        return [unit for unit in self.all_units() if self.status(unit) == PENDING]

    def restart(self):
        super().restart()
        for spec in self.specs.values():
            spec["served"] = {}
        self.asks = []

    # ---- specs ----

    def set_spec(self, definition):
        name = definition["name"]
        key = self.field(name, "serial_key") if name in self.specs else None
        super().set_spec(definition)
        spec = self.specs[name]
        if key != self.field(name, "serial_key"):
            self.forget_held(name)
        for field in ("handed", "served", "made", "made_at", "owed", "next_run", "times"):
            empty: Any = [] if field == "handed" else {} if field == "served" else None
            spec.setdefault(field, empty)
        spec["controls"] = {
            "continuous": bool(definition.get("continuous")),
            "interval": definition.get("interval"),
            "max_running": definition.get("max_running"),
            "weight": definition.get("weight", 20),
        }
        # Hand-outs are noted from when there is a rate, as many as it has units.
        most = definition["rate"]["units"] if definition.get("rate") else 0
        spec["handed"] = spec["handed"][-most:] if most else []
        spec["served"] = {}
        times = [definition.get(field) for field in ("schedule", "timezone", "missed_runs")]
        if times != spec["times"] and times[0] is not None:
            spec.update(next_run=self.next_run(name), owed=None)
        spec["times"] = times
        self.run_schedules()

    def control(self, name, **controls):
        """Whether it is done."""
        if name not in self.specs:
            return False
        if controls.get("continuous") and not self.field(name, "continuous"):
            return False
        self.controls(name).update(controls)
        return True

    def pause(self, name, paused):
        super().pause(name, paused)
        self.run_schedules()

    # ---- time ----

    def advance(self, seconds):
        self.now += seconds
        self.wall += seconds
        for unit in self.all_units():
            there = self.unit(*unit)
            if there["status"] == PENDING and there["deadline"] <= self.now:
                self.lose(unit)
            if there["not_before"] is not None and there["not_before"] <= self.wall:
                there["not_before"] = None
        self.settle()

    def lose(self, unit):
        """A lease is over."""
        there = self.unit(*unit)
        there["attempts"][-1][1] = "lost"
        there["lost"] += 1
        if there["cancel"]:
            self.fail_cancelled(there)
        elif there["lost"] >= self.field(unit[0], "max_lost_leases", 1000):
            there.update(status=FAILED, deadline=None, ended=self.wall, reason=True)
        else:
            self.free(there)

    def settle(self):
        """Put everything that rests where it belongs, until nothing moves any more.

        What was added again and fails at once is not taken back from those who need it, so all that
        fails has failed before anything is taken back.
        """
        while self.any_moves(self.rests) or self.any_moves(self.taken_back):
            pass
        self.seen = {unit: self.status(unit) for unit in self.all_units()}
        self.run_schedules()

    def any_moves(self, move):
        return any(move(unit) for unit in self.all_units())

    def rests(self, unit):
        before = self.status(unit)
        if before in RESTING:
            self.rest(unit)
        return self.status(unit) != before

    def taken_back(self, unit):
        back = self.unit(*unit)["culprits"] is not None and self.is_taken_back(unit)
        if back:
            self.renew(unit)
        return back

    def is_taken_back(self, unit):
        """Whether what failed a unit has not failed any more, and nothing else would fail it."""
        needed = [earlier for earlier, hard in self.edges.of(unit).items() if hard]
        return not self.edges.culprits(unit) and any(
            self.seen.get(earlier) == FAILED != self.status(earlier) for earlier in needed
        )

    def rest(self, unit):
        there = self.unit(*unit)
        failed = self.edges.culprits(unit)
        if failed:
            first = {root for earlier in failed for root in self.roots(earlier)}
            self.free(there)
            there.update(status=FAILED, ended=self.wall, reason=True, culprits=first)
        elif self.edges.unmet(unit):
            there["status"] = BLOCKED
        else:
            there["status"] = AVAILABLE if there["not_before"] is None else DELAYED

    def roots(self, failed):
        """Who may have failed first, that this one failed."""
        return self.unit(*failed)["culprits"] or {failed}

    def blamable(self, unit):
        """Who the reason of a failed unit may name: some may have failed anew since it was made."""
        failed = self.edges.culprits(unit)
        further = [self.blamable(earlier) for earlier in failed]
        return set(failed).union(self.unit(*unit)["culprits"] or (), *further)

    def renew(self, unit, not_before=None):
        """A unit is added again, or taken up again after it had ended."""
        there = self.unit(*unit)
        self.replaced(there)
        self.free(there)
        there.update(not_before=not_before, failures=0, lost=0, reason=None, culprits=None)
        there["output_error"] = False

    @staticmethod
    def replaced(unit):
        if unit["status"] == PENDING:
            unit["attempts"][-1][1] = "replaced"

    # ---- adding ----

    def add(self, name, units):
        """Units as (key, data, options); why it is refused, or None."""
        edges = []
        for key, _, options in units:
            for need in options.get("depends_on") or []:
                spec, other, *hard = (name, need) if isinstance(need, str) else need
                edges.append(((name, key), (spec, other), hard[0] if hard else True))
        given = [(name, key, data, options) for key, data, options in units]
        return self.add_all(given, edges)

    def add_edges(self, edges):
        """Edges as (later, earlier, hard), ends as (spec, key, data); why refused, or None."""
        ends = [end for later, earlier, _ in edges for end in (later, earlier)]
        given = {end[:2]: (*end, {}) for end in ends if end[2] is not None}
        return self.add_all(
            list(given.values()), [(later[:2], earlier[:2], h) for later, earlier, h in edges]
        )

    def refuses(self, given, edges):
        """What of it cannot be, or None."""
        new = {unit[:2] for unit in given}
        if any(name not in self.specs for name, _ in new):
            return "no such spec"
        for later, earlier, _ in edges:
            for end in (later, earlier):
                if end not in new and self.unit(*end) is None:
                    return "no such unit"
            if later not in new and self.unit(*later)["status"] in ENDED:
                return "ended"
        return "cycle" if self.edges.cyclic(edges) else None

    def add_all(self, given, edges):
        why = self.refuses(given, edges)
        if why is not None:
            self.refused = edges
            return why
        for name, key, data, options in given:
            unit = self.specs[name]["units"].setdefault(key, self.new_unit(status=AVAILABLE))
            delay = options.get("delay")
            self.renew((name, key), self.wall + delay if delay else None)
            unit["data"] = data
            if options.get("priority") is not None:
                unit["priority"] = options["priority"]
        for later, earlier, hard in edges:
            self.edges.add(later, earlier, hard)
        self.settle()
        return None

    def is_circle(self, path):
        """Whether each unit needs the next, by an edge there is or one refused last."""
        return self.edges.is_cycle(path, self.refused)

    # ---- updating ----

    def update(self, name, key, status=None, lease=None, data=None, worker=None, delay=None):
        """Whether it is done; status is the new one."""
        unit = self.unit(name, key)
        if unit is None or (status is None and lease is None and data is None):
            return False
        if status == FAILED and self.failed_last(unit, worker):
            return True
        if worker is not None and (unit["worker"] != worker or unit["status"] != PENDING):
            # Ending again what one has ended is fine, and does nothing.
            ended = unit["worker"] == worker and unit["status"] in ENDED
            again = {FINISHED: (FINISHED, FAILED), FAILED: (FAILED,)}
            return ended and status in again[unit["status"]]
        if unit["status"] == FINISHED and status == FAILED:
            return True
        if self.refuses_status((name, key), status):
            return False
        if data is not None:
            self.replace(name, unit, data)
        self.apply((name, key), status, lease, worker, delay)
        self.settle()
        return True

    @staticmethod
    def failed_last(unit, worker):
        """Whether a worker failed it before, and nobody has had it since."""
        had = worker is not None and unit["attempts"][-1:] == [[worker, "failed"]]
        return had and unit["worker"] is None

    def refuses_status(self, unit, status):
        there = self.unit(*unit)["status"]
        if status == AVAILABLE and there != PENDING:
            return bool(self.edges.culprits(unit))
        return status == PENDING != there and bool(self.edges.unmet(unit))

    def apply(self, unit, status, lease, worker, delay):
        there = self.unit(*unit)
        pending = there["status"] == PENDING
        if pending and status in (None, PENDING) and lease is not None:
            there["deadline"] = self.now + lease
            if lease < 0:
                self.give_back(there, delay)
        elif status is not None and status != there["status"]:
            self.go(unit, status, 300 if lease is None else lease, worker, delay)

    def give_back(self, unit, delay, *, by_force=False):
        if unit["status"] == PENDING:
            unit["attempts"][-1][1] = "replaced" if by_force else "released"
        if unit["cancel"] and not by_force:
            self.fail_cancelled(unit)
            return
        self.free(unit)
        unit["not_before"] = self.wall + delay if delay else None

    def fail_cancelled(self, unit):
        super().fail_cancelled(unit)
        unit.update(reason=True, culprits=None)

    def cancel_one(self, unit, now):
        was_pending = unit["status"] == PENDING
        result = super().cancel_one(unit, now)
        if was_pending and result == "cancelled":
            unit["attempts"][-1][1] = "cancelled"
        return result

    def cancel(self, name, keys, *, now):
        results = super().cancel(name, keys, now=now)
        self.settle()
        return results

    def go(self, unit, status, lease, worker, delay):  # type: ignore[override]  # a wider one
        there = self.unit(*unit)
        if status == AVAILABLE:
            if there["status"] in ENDED:
                self.renew(unit)
            self.give_back(there, delay, by_force=worker is None)
        elif status == PENDING:
            self.renew(unit)
            self.lease(there, None, max(lease, 0))
        elif status == FAILED and there["status"] == PENDING and self.again(unit, delay):
            return
        else:
            self.end(unit, status)

    def again(self, unit, delay):
        """Whether a unit that somebody had and that failed is tried again; puts it there."""
        there, most = self.unit(*unit), self.field(unit[0], "max_retries")
        there["failures"] += 1
        if most is None or there["failures"] > most or there["cancel"]:
            return False
        first = self.field(unit[0], "retry_delay", 0)
        grown = first * self.field(unit[0], "retry_backoff", 2) ** (there["failures"] - 1)
        if delay is None:
            delay = min(grown, self.field(unit[0], "retry_delay_max", 3600))
        there["attempts"][-1][1] = "failed"
        self.free(there)
        there["not_before"] = self.wall + delay if delay else None
        return True

    def end(self, unit, status):
        there = self.unit(*unit)
        if there["status"] == PENDING:
            words = {FINISHED: "finished", FAILED: "failed"}
            there["attempts"][-1][1] = words[status]
        there.update(status=status, deadline=None, not_before=None, ended=self.wall)
        cancelled = there["cancel"] and status == FAILED
        there.update(reason=cancelled or None, culprits=None, cancel=False)
        if status == FINISHED:
            self.chain(*unit)

    def chain(self, name, key):
        unit, then = self.unit(name, key), self.field(name, "then")
        output = unit["data"].get("output")
        if output is None or then is None:
            return
        if not isinstance(output, dict) or (output and then not in self.specs):
            unit["output_error"] = True
        elif output:
            options = {"priority": unit["priority"]}
            self.add(then, [(child, data, options) for child, data in output.items()])

    # ---- deleting ----

    def gone(self, units, *, cascade):
        """What goes with these units; None if they may not go."""
        gone = set(units)
        while True:
            needing = {
                later
                for later in self.edges.needs
                if later not in gone and self.unit(*later)["status"] == BLOCKED
                if gone.intersection(self.edges.unmet(later))
            }
            if not needing:
                return gone
            if not cascade:
                return None
            gone |= needing

    def delete(self, name, *, keys=None, state=None, everything=False, cascade=False):
        """How many units are gone; None if there are others that need them."""
        if name not in self.specs:
            return 0
        spec = self.specs[name]
        wanted = [
            (name, key)
            for key, unit in spec["units"].items()
            if everything
            or ((keys is None or key in keys) and (state is None or unit["status"] == state))
        ]
        gone = self.gone(wanted, cascade=cascade)
        if gone is None:
            return None
        archived = [] if keys is not None else list(spec["archived"]) if everything else [state]
        number = len(gone) + sum(spec["archived"].pop(status, 0) for status in archived)
        self.forget(gone)
        return number

    def forget(self, gone):
        for name, key in gone:
            del self.specs[name]["units"][key]
            self.edges.forget((name, key))
        self.settle()

    def delete_spec(self, name, *, cascade=False):
        """Whether it is done."""
        if name not in self.specs:
            return False
        gone = self.gone([(name, key) for key in self.specs[name]["units"]], cascade=cascade)
        if gone is None:
            return False
        self.forget(gone)
        del self.specs[name]
        return True

    def clear(self):
        self.specs = {}
        self.edges.needs = {}

    def archive(self):
        before = set(self.all_units())
        super().archive()
        for unit in before - set(self.all_units()):
            self.edges.forget(unit)
