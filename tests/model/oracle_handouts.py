"""What may be handed out, as plainly as possible: each question looks at every unit."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from tests.model.oracle import AVAILABLE, FAILED, FINISHED, PENDING, Oracle

GENERATED = -1
NONE = object()
"""The lane of units whose data do not have the key."""


class HandoutOracle(Oracle):
    """The oracle of hand-outs with everything that can hold a unit or a spec back.

    Arguments:
        limits: by name, how many units may be pending of all specs that use it.
    """

    def __init__(self, now, wall, grace=60, keep=2, limits=None):
        super().__init__(now, wall, grace, keep)
        self.limits = limits or {}
        # Who asked for work, as (moment, request).
        self.asks = []

    def controls(self, name):
        return self.specs[name]["controls"]

    def field(self, name, field, default=None):
        return self.specs[name]["definition"].get(field, default)

    # ---- one spec ----

    def pending(self, name):
        return [u for u in self.specs[name]["units"].values() if u["status"] == PENDING]

    def lane(self, unit, field):
        data = unit["data"]
        return data[field] if isinstance(data, dict) and field in data else NONE

    def replace(self, name, unit, data):
        """A pending unit holds the value that it was handed out with."""
        field = self.field(name, "serial_key")
        if unit["status"] == PENDING and field is not None:
            unit.setdefault("held", self.lane(unit, field))
        unit["data"] = data

    def forget_held(self, name):
        """Pending units hold what their data say."""
        for unit in self.specs[name]["units"].values():
            unit.pop("held", None)

    def held_back(self, name, unit):
        """Whether as many units as may be are pending with its value of the serial key."""
        field = self.field(name, "serial_key")
        value = NONE if field is None else self.lane(unit, field)
        if value is NONE:
            return False
        busy = sum(
            other.get("held", self.lane(other, field)) == value for other in self.pending(name)
        )
        return busy >= self.field(name, "serial_max", 1)

    def runnable(self, name):
        """The available units that their lane lets run, best first."""
        units = self.specs[name]["units"]
        return [key for key in self.ready(name) if not self.held_back(name, units[key])]

    def heads(self, name):
        """The units one of which must be next; more than one only where lanes take turns."""
        units, keys = self.specs[name]["units"], self.runnable(name)
        best = [key for key in keys if units[key]["priority"] == units[keys[0]]["priority"]]
        field = self.field(name, "fair_key")
        lanes: dict[Any, str] = {}
        for key in best:
            lanes.setdefault(NONE if field is None else self.lane(units[key], field), key)
        return lanes

    def turns(self, name):
        """Who was served while each lane waits; lanes that do not wait begin anew."""
        served, lanes = self.specs[name]["served"], self.heads(name)
        self.specs[name]["served"] = {lane: served.get(lane, set()) for lane in lanes}
        return self.specs[name]["served"]

    def allowed(self, name):
        """The heads that are not of a lane which had a turn while another waited."""
        waits = self.turns(name).values()
        return {
            key: lane
            for lane, key in self.heads(name).items()
            if not any(lane in served for served in waits)
        }

    def took_turn(self, name, lane):
        for waiting, served in self.specs[name]["served"].items():
            if waiting == lane:
                served.clear()
            else:
                served.add(lane)

    def room(self, name):
        """How many more units may be handed out now."""
        rooms = [1000, self.rate_room(name)]
        if self.controls(name)["max_running"] is not None:
            rooms.append(self.controls(name)["max_running"] - len(self.pending(name)))
        rooms += [self.limits[limit] - self.used(limit) for limit in self.field(name, "uses", [])]
        return max(0, min(rooms))

    def rate_room(self, name):
        """How many more units its rate lets a spec hand out now."""
        rate = self.field(name, "rate")
        if rate is None:
            return 1000
        moments = self.specs[name]["handed"]
        recent = [moment for moment in moments if moment + rate["seconds"] > self.now]
        return rate["units"] - len(recent)

    def used(self, limit):
        users = [name for name in self.specs if limit in self.field(name, "uses", [])]
        return sum(len(self.pending(name)) for name in users)

    # ---- which spec ----

    def able(self, names, available_gb, runtimes=None):
        return {
            name
            for name, spec in self.specs.items()
            if not spec["paused"]
            and not self.misfits(name, names, available_gb, runtimes)
            and (self.runnable(name) or self.may_make(name))
            and self.room(name) > 0
        }

    def misfits(self, name, names, available_gb, runtimes):
        """What of a request a spec does not fit."""
        faults = {
            "not_asked_for": bool(names) and name not in names,
            "min_gb": available_gb is not None and self.field(name, "min_gb") > available_gb,
            "runtime": runtimes is not None
            and self.field(name, "runtime") not in (None, *runtimes),
        }
        return [code for code, there in faults.items() if there]

    def unasked(self, name):
        """Whether nobody who asked in the last minutes asks for a spec, though some asked."""
        lately = [request for moment, request in self.asks if self.now - moment <= LATELY]
        return bool(lately) and all(self.misfits(name, *request) for request in lately)

    def choices(self, names, available_gb, runtimes=None):
        """The specs that a hand-out may come from; weights choose among these."""
        able = self.able(names, available_gb, runtimes)
        free = {
            name
            for name in able
            if name in self.reached(name, preempting=False)
            or not able.intersection(self.reached(name, preempting=True))
        }
        ranks = {name: self.rank(name) for name in free}
        return {name for name in free if ranks[name] == max(ranks.values())}

    def rank(self, name):
        keys = self.runnable(name)
        best = self.specs[name]["units"][keys[0]]["priority"] if keys else 0
        return self.field(name, "priority", 0), best

    # ---- handing out ----

    def hand_out(self, worker, name, most, lease, found):
        """Do what a server did that handed out these units, and say whether it may.

        Arguments:
            worker: who got them.
            name: the spec.
            most: how many were asked for.
            lease: in seconds.
            found: the (spec, key, data) that the server gave, in order.
        """
        most = min(most, self.field(name, "max_getwork", most))
        for number, (spec, key, data) in enumerate(found):
            assert number < most, "more than asked for"
            assert self.room(name) > 0, "more than may be pending, or may be handed out now"
            lane = NONE
            if self.runnable(name):
                assert key in self.allowed(name), f"it was the turn of {self.allowed(name)}"
                lane = self.allowed(name)[key]
            else:
                assert self.make_up(name) == key
            unit = self.specs[name]["units"][key]
            assert (spec, data) == (name, unit["data"])
            self.took_turn(name, lane)
            self.lease(unit, worker, lease)
            if self.field(name, "rate") is not None:
                self.note_rate(name)
        left = self.room(name) and (self.runnable(name) or self.may_make(name))
        assert len(found) == most or not left, f"{left} would have been there too"

    def note_rate(self, name):
        """Remember the moment; of hand-outs while there is no rate nothing is remembered."""
        rate = self.field(name, "rate")
        if rate is not None:
            moments = self.specs[name]["handed"]
            self.specs[name]["handed"] = [*moments, self.now][-rate["units"] :]

    def lease(self, unit, worker, lease):
        unit.update(status=PENDING, worker=worker, deadline=self.now + lease)
        unit.pop("held", None)
        unit["attempts"].append([worker, "pending"])

    # ---- units that are made up ----

    def made_unit(self, name):
        """The unit made up last, while it has not ended."""
        unit = self.specs[name]["units"].get(self.specs[name]["made"])
        return None if unit is None or unit["status"] in (FINISHED, FAILED) else unit

    def may_make(self, name):
        """Whether a continuous spec may have a unit made up now."""
        controls, last = self.controls(name), self.specs[name]["made_at"]
        waits = last is not None and controls["interval"] is not None
        return (
            controls["continuous"]
            and not self.ready(name)
            and self.made_unit(name) is None
            and not (waits and self.wall < last + controls["interval"])
        )

    def make_up(self, name):
        """Make a unit up for a continuous spec; gives its key."""
        key = self.make(name, f"{self.wall:.6f}", GENERATED)
        self.specs[name]["made_at"] = self.wall
        return key

    def make(self, name, key, priority):
        units, free, number = self.specs[name]["units"], key, 0
        while free in units:
            number += 1
            free = f"{key}-{number}"
        units[free] = self.new_unit(status=AVAILABLE, priority=priority)
        self.specs[name]["made"] = free
        return free

    @staticmethod
    def new_unit(**fields):
        nothing = dict.fromkeys(("worker", "deadline", "not_before", "ended", "reason", "culprits"))
        counts = {"failures": 0, "lost": 0, "attempts": [], "output_error": False}
        counts["cancel"] = False
        return {"data": {}, "priority": 0, **nothing, **counts, **fields}

    def next_run(self, name):
        """When the schedule's next run is; each is a multiple of its period since 1970."""
        period = PERIODS[self.field(name, "schedule")]
        return (self.wall // period + 1) * period

    def run_schedules(self):
        """Let runs come due, and make up for those that were missed as soon as it is possible."""
        for name, spec in self.specs.items():
            if self.field(name, "schedule") is None:
                continue
            free = not spec["paused"] and self.made_unit(name) is None
            moment = spec["next_run"]
            if moment <= self.wall:
                spec["next_run"] = self.next_run(name)
                catch_up = self.field(name, "missed_runs", "one") == "one"
                if free and (self.wall - moment <= ON_TIME or catch_up):
                    spec["owed"] = None
                    self.make_run(name, moment)
                elif catch_up:
                    spec["owed"] = moment
            elif free and spec["owed"] is not None:
                self.make_run(name, spec["owed"])
                spec["owed"] = None

    def make_run(self, name, moment):
        zone = self.field(name, "timezone")
        at = datetime.fromtimestamp(moment, UTC if zone is None else ZoneInfo(zone))
        self.make(name, at.isoformat(), 0)


PERIODS = {"* * * * *": 60, "*/5 * * * *": 300}
"""The schedules that this oracle knows, with their seconds."""

ON_TIME = 60
"""Seconds that a run may be late before it is missed."""

LATELY = 300
"""Seconds for which it is remembered who asked for work, and how."""
