"""The state machine test of everything: the main operations, what holds work back, what waits.

Its driver is the plain machine's, of a server that has ``LIMITS``.
"""

import re
from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from tests.model.machine import GRACE, KEEP, NOW, WALL, JobMachine
from tests.model.machine_explanations import Claims, check_spec, check_unit, check_worker
from tests.model.machine_strategies import (
    DATA,
    DELAYS,
    EDGES,
    ENDS,
    FIRST_UNITS,
    KEYS,
    LIMITS,
    NAMES,
    RUNTIMES,
    SPECS,
    UNITS,
    WORKERS,
)
from tests.model.wide_oracle import WideOracle

_NAMED = re.compile(r"'(\w+)' of '(\w+)'")


def _named(text):
    """The units that a message names, in order."""
    return [(name, key) for key, name in _NAMED.findall(text)]


def _end(end):
    return end if len(end) == 3 else (*end, None)


class WideMachine(JobMachine):
    """Does the same to a driver and to the wide oracle, and compares all there is to see."""

    said_next: Sequence[tuple[str, str]] = ()
    """The unit of which its explanation says that it runs next."""

    def make_oracle(self):
        """Give an oracle of an empty server."""
        return WideOracle(NOW, WALL, GRACE, KEEP, LIMITS)

    @initialize(
        definitions=st.tuples(SPECS, SPECS, SPECS),
        units=st.tuples(FIRST_UNITS, FIRST_UNITS, FIRST_UNITS),
    )
    def begin_with_work(self, definitions, units):
        """As in the plain machine."""
        for name, definition, added in zip("abc", definitions, units, strict=True):
            self.set_spec({**definition, "name": name})
            self.add_units(name, added)

    # ---- specs ----

    @rule(definition=SPECS)
    def set_spec(self, definition):
        """Define a spec, for the first time or anew."""
        super().set_spec(definition)

    @rule(name=NAMES, interval=st.sampled_from([None, 1, 60]), continuous=st.booleans())
    def control_making(self, name, interval, continuous):
        """Say whether and how often units are made up."""
        done = self.oracle.control(name, interval=interval, continuous=continuous)
        options = {"interval": interval, "continuous": continuous}
        assert self.call("control_work_spec", name, options)[0] == done

    @rule(name=NAMES, most=st.sampled_from([None, 1, 3]), weight=st.sampled_from([1, 9, 40]))
    def control_running(self, name, most, weight):
        """Change how much of a spec runs."""
        done = self.oracle.control(name, max_running=most, weight=weight)
        options = {"max_running": most, "weight": weight}
        assert self.call("control_work_spec", name, options)[0] == done

    # ---- units and edges ----

    @rule(name=NAMES, units=UNITS)
    def add_units(self, name, units):
        """Add units, and what they need."""
        units = [unit if len(unit) == 3 else (*unit, {}) for unit in units]
        why = self.oracle.add(name, units)
        self.check_edges(why, self.call("add_work_units", name, units))

    @rule(later=ENDS, earlier=ENDS, hard=st.sampled_from([None, True, False]))
    def add_dependent(self, later, earlier, hard):
        """Let one unit need another."""
        why = self.oracle.add_edges([(later, earlier, hard is not False)])
        given = () if hard is None else (hard,)
        self.check_edges(why, self.call("add_dependent_work_units", later, earlier, *given))

    @rule(edges=EDGES)
    def add_dependencies(self, edges):
        """Let units need others."""
        wanted = [(_end(edge[0]), _end(edge[1]), edge[2:] != (False,)) for edge in edges]
        why = self.oracle.add_edges(wanted)
        self.check_edges(why, self.call("add_dependencies", edges))

    def check_edges(self, why, answer):
        """Whether edges were refused as they should be, and a circle is one."""
        done, message = answer
        assert done == (why is None), message
        assert done == (message is None)
        if why == "cycle":
            assert message.startswith("cycle of dependencies: "), message
            assert self.oracle.is_circle(_named(message)), message

    # ---- updates ----

    def update(self, name, key, **wanted):
        """As in the plain machine, with a delay perhaps."""
        options = {k: v for k, v in wanted.items() if v is not None}
        names = {"lease_time": "lease", "worker_id": "worker"}
        expected = self.oracle.update(name, key, **{names.get(k, k): v for k, v in options.items()})
        done, message = self.call("update_work_unit", name, key, options)
        assert done == expected, message

    @rule(name=NAMES, key=KEYS, worker=st.none() | WORKERS, delay=st.none() | DELAYS)
    def fail(self, name, key, worker, delay):
        """Fail a unit, and perhaps say when it is to be tried again."""
        self.update(name, key, status=5, worker_id=worker, delay=delay)

    @rule(name=NAMES, key=KEYS, delay=st.none() | DELAYS)
    def retry(self, name, key, delay):
        """Make a unit available, now or later."""
        self.update(name, key, status=1, delay=delay)

    @precondition(lambda self: self.oracle.all_pending())
    @rule(which=st.integers(0, 9), delay=st.none() | DELAYS, by_status=st.booleans())
    def give_back(self, which, delay, by_status):
        """Give back one of the units that a worker has, to run now or later."""
        name, key, worker = self.one_pending(which)
        how = {"status": 1} if by_status else {"lease_time": -1}
        self.update(name, key, worker_id=worker, delay=delay, **how)

    @precondition(lambda self: self.oracle.all_pending())
    @rule(which=st.integers(0, 9), status=st.sampled_from([4, 4, 5]), data=st.none() | DATA)
    def end_what_somebody_has(self, which, status, data):
        """A worker ends one of the units that it has."""
        name, key, worker = self.one_pending(which)
        self.update(name, key, status=status, worker_id=worker, data=data)

    def one_pending(self, which):
        """Give (spec, key, worker) of one of the units that are pending."""
        pending = self.oracle.all_pending()
        unit = pending[which % len(pending)]
        return (*unit, self.oracle.unit(*unit)["worker"])

    @precondition(lambda self: self.oracle.all_units())
    @rule(which=st.integers(0, 20), status=st.sampled_from([1, 3, 4, 5]))
    def update_any(self, which, status):
        """Somebody moves any unit that there is, one that was made up perhaps."""
        units = self.oracle.all_units()
        self.update(*units[which % len(units)], status=status)

    # ---- handing out ----

    @rule(
        worker=WORKERS,
        names=st.none() | st.lists(NAMES, max_size=2),
        gigabytes=st.sampled_from([None, None, 0, 2, 8]),
        runtimes=RUNTIMES,
        most=st.integers(1, 3),
        lease=st.sampled_from([1, 10, 300]),
    )
    def get_work(self, worker, names, gigabytes, runtimes, most, lease):
        """A worker asks for work."""
        self.ask(worker, names, gigabytes, runtimes, most, lease)

    def ask(self, worker, names=None, gigabytes=None, runtimes=None, most=1, lease=300):
        """Ask what there would be, and then for it; gives what there was."""
        asked = {"work_spec_names": names, "available_gb": gigabytes, "runtimes": runtimes}
        claims = Claims(self.oracle, (names, gigabytes, runtimes))
        explained, _ = self.call("explain_worker", worker, asked)
        expected = check_worker(claims, worker, explained)
        options = {"max_jobs": most, "lease_time": lease, **asked}
        found, _ = self.call("get_work", worker, options)
        self.oracle.asks.append((self.oracle.now, claims.request))
        if most == 1:
            found = [] if found == (None, None, None) else [found]
        assert bool(found) == bool(claims.choices), f"there was work in {claims.choices}"
        if not found:
            return []
        assert found[0][0] in claims.choices
        if claims.request == (None, None, None) and self.said_next:
            assert found[0][:2] == self.said_next[0]
        self.said_next = ()
        made_up = not self.oracle.runnable(found[0][0])
        assert expected in (found[0][:2], (found[0][0], None) if made_up else None)
        self.oracle.hand_out(worker, found[0][0], most, lease, found)
        return found

    @rule(
        turns=st.lists(
            st.tuples(WORKERS, st.sampled_from([None, 1, 4, 4, 5]), st.sampled_from([0, 0, 1, 8])),
            min_size=2,
            max_size=8,
        )
    )
    def work_for_a_while(self, turns):
        """Workers ask for anything, and end what they get, or do not."""
        for worker, status, seconds in turns:
            found = self.ask(worker)
            if found and status is not None:
                self.update(*found[0][:2], status=status, worker_id=worker)
            if seconds:
                self.expire(seconds)

    # ---- deleting ----

    def delete(self, name, options, **wanted):
        """Delete units; nothing goes while others need it."""
        number = self.oracle.delete(name, **wanted)
        count, message = self.call("del_work_units", name, options)
        assert count == (number or 0), message
        self.check_needed(number is None, message)

    def check_needed(self, needed, message):
        """A refusal names one that is needed and one that needs it."""
        assert ("cascade" in (message or "")) == needed
        if needed:
            earlier, later = _named(message)
            assert earlier in self.oracle.edges.unmet(later)

    @rule(
        name=NAMES,
        keys=st.lists(KEYS, max_size=3),
        state=st.none() | st.sampled_from([1, 2, 3, 4, 5]),
        cascade=st.booleans(),
    )
    def delete_keys(self, name, keys, state, cascade):
        """Delete units by key, and perhaps by status."""
        options = {"work_unit_keys": keys, "state": state, "cascade": cascade}
        self.delete(name, options, keys=keys, state=state, cascade=cascade)

    @rule(name=NAMES, state=st.sampled_from([1, 2, 3, 4, 5, 6]), cascade=st.booleans())
    def delete_state(self, name, state, cascade):
        """Delete the units in one status."""
        self.delete(name, {"state": state, "cascade": cascade}, state=state, cascade=cascade)

    @precondition(lambda self: len(self.oracle.specs) > 1)
    @rule(name=NAMES, cascade=st.booleans(), how=st.sampled_from(["units", "spec", "clear"]))
    def delete_all(self, name, cascade, how):
        """Delete the units of a spec, or with the spec, or everything."""
        if how == "units":
            options = {"all": True, "cascade": cascade}
            self.delete(name, options, everything=True, cascade=cascade)
        elif how == "spec":
            self.delete_spec(name, cascade)
        else:
            assert self.call("clear") == len(self.oracle.specs)
            self.oracle.clear()

    def delete_spec(self, name, cascade):
        """Delete a spec, unless it is needed."""
        there = name in self.oracle.specs
        done, message = self.call("del_work_spec", name, {"cascade": cascade})
        expected = self.oracle.delete_spec(name, cascade=cascade)
        assert done == expected, message
        if there:
            self.check_needed(not expected, message)

    # ---- what is compared after each step ----

    def compare(self, name, spec):
        """Compare what the plain machine does, and all that is new of a spec."""
        super().compare(name, spec)
        expected = self.oracle.specs[name]
        meta = self.call("get_work_spec_meta", name)[0]
        assert meta == {"status": 1 + expected["paused"], **expected["controls"]}
        keys = sorted(expected["units"], key=str.encode)
        statuses, _ = self.call("get_work_unit_status", name, keys)
        for key, status in zip(keys, statuses, strict=True):
            self.compare_unit(name, key, status)

    def compare_unit(self, name, key, status):
        """Compare the past of a unit, and what it needs."""
        unit, edges = self.oracle.unit(name, key), self.oracle.edges
        assert status.get("failures", 0) == unit["failures"], key
        assert status.get("lost_leases", 0) == unit["lost"], key
        assert ("output_error" in status) == unit["output_error"], key
        assert ("reason" in status) == (unit["reason"] is not None), key
        if unit["culprits"] is not None:
            assert self.oracle.blamable((name, key)).issuperset(_named(status["reason"]) or [None])
        needed = {
            (need["work_spec_name"], need["work_unit_key"]): (need["hard"], need["status"])
            for need in status.get("depends_on", [])
        }
        assert needed == {
            earlier: (hard, self.oracle.status(earlier))
            for earlier, hard in edges.of((name, key)).items()
        }
        assert status.get("depends_on_count", len(needed)) == len(needed)
        assert status.get("blocked_by", 0) == len(edges.unmet((name, key)))
        assert ("blocked_by" in status) == bool(needed)

    @invariant()
    def attempts_are_as_the_oracle_says(self):
        """What is remembered of hand-outs; the numbers only grow."""
        for name, key in self.oracle.all_units():
            attempts, _ = self.call("get_work_unit_attempts", name, key)
            found = [[attempt["worker_id"], attempt["outcome"]] for attempt in attempts]
            expected = self.oracle.unit(name, key)["attempts"]
            assert found == expected, f"{key}: {found}, not {expected}"
            numbers = [attempt["attempt"] for attempt in attempts]
            assert numbers == sorted(set(numbers))
            assert all(("ended" in a) == (a["outcome"] != "pending") for a in attempts)

    @invariant()
    def explanations_are_true(self):
        """Nothing is said of a spec or a unit that is not so."""
        claims = Claims(self.oracle)
        for name in self.oracle.specs:
            check_spec(claims, name, self.call("explain_work_spec", name)[0])
        self.said_next = [
            (name, key)
            for name, key in self.oracle.all_units()
            if check_unit(claims, name, key, self.call("explain_work_unit", name, key)[0])
        ]
        assert len(self.said_next) <= 1


__all__ = ["LIMITS", "WideMachine"]
