"""A server of work units for the simulation, and what its clients ask for."""

import itertools
from collections.abc import Iterator

from attrs import define, field

from tests.histories.events import NEVER, Call
from tests.histories.simulation import GRACE, Simulation

BUGS = (
    "takes stale words",
    "ends early",
    "hands out twice",
    "renew revives",
    "forgets endings",
    "attempt reset",
    "loses leases at restart",
    "refuses owners",
)
KEYS = ("k1", "k2", "k3")
LEASE = 0.4


@define(eq=False)
class Unit:
    key: str
    attempt: int = 0
    deadline: float | None = None
    ended: bool = False


@define(eq=False)
class WorkServer:
    """The units, changed at the moments that it is told."""

    bug: str | None = None
    units: list = field(factory=lambda: [Unit(key) for key in KEYS])
    attempts: Iterator[int] = field(factory=lambda: itertools.count(1))
    words: Iterator[int] = field(factory=lambda: itertools.count(1))

    def do(self, at, call, settle):
        self.advance(at)
        settle(at, getattr(self, call.kind)(at, call))

    def due(self):
        return min([unit.deadline for unit in self.units if unit.deadline], default=NEVER)

    def advance(self, at):
        for unit in self.units:
            if unit.deadline is not None and unit.deadline <= at:
                unit.deadline = None

    def restart(self, killed, ready):
        self.advance(killed)
        for unit in self.units:
            if unit.deadline is not None:
                unit.deadline = max(unit.deadline, ready + GRACE)
                if self.bug == "loses leases at restart":
                    unit.deadline = None
        if self.bug == "attempt reset":
            self.attempts = itertools.count(1)
        return []

    # ---- the calls ----

    def add(self, at, call):
        for unit in self.units:
            if unit.key in call.args["keys"]:
                unit.ended, unit.deadline = False, None
        return {"done": True}

    def get_work(self, at, call):
        for unit in self.units:
            free = unit.deadline is None or self.bug == "hands out twice"
            if free and (not unit.ended or self.bug == "forgets endings"):
                unit.attempt = next(self.attempts)
                lease = call.args["lease_time"] * (0.5 if self.bug == "ends early" else 1)
                unit.deadline = at + lease
                return {"units": [{"spec": "s", "key": unit.key, "attempt": unit.attempt}]}
        return {"units": []}

    def updates(self, at, call):
        return {"results": [{"done": self.say(at, **said)} for said in call.args["updates"]]}

    def say(self, at, key, attempt, what, **said):
        unit = next(unit for unit in self.units if unit.key == key)
        if self.bug == "refuses owners" and next(self.words) % 5 == 0:
            return False
        current = unit.attempt == attempt or self.bug == "takes stale words"
        pending = unit.deadline is not None or self.bug == "renew revives"
        if unit.ended and current and what == "finish":
            return True
        if not current or not pending or unit.ended:
            return False
        unit.deadline = at + said.get("lease_time", 0) if what == "renew" else None
        unit.ended = what == "finish"
        return True


class WorkSimulation(Simulation):
    """Clients that ask for work and say what became of it, also when they have lost it."""

    def make_server(self, bug):
        return WorkServer(bug)

    def run(self):
        adding = Call("adder", 0, "add", {"spec": "s", "keys": list(KEYS)}, -1, -0.5)
        adding.result = {"done": True}
        return [adding, *super().run()]

    def wanted(self, name, held):
        if held and self.chance.random() < 0.7:
            key, attempt = self.chance.choice(held)
            what = self.chance.choice(["renew", "renew", "finish", "release", "finish"])
            said = {"spec": "s", "key": key, "attempt": attempt, "what": what}
            said |= {"lease_time": LEASE} if what == "renew" else {}
            return "updates", {"updates": [said]}
        if self.chance.random() < 0.2:
            return "add", {"spec": "s", "keys": [self.chance.choice(KEYS)]}
        return "get_work", {"worker": name, "lease_time": LEASE}

    def learnt(self, call, held):
        if call.kind == "get_work":
            return [*held, *((unit["key"], unit["attempt"]) for unit in call.result["units"])]
        if call.kind == "updates" and self.chance.random() < 0.7:
            said = call.args["updates"][0]
            over = said["what"] != "renew" or not call.result["results"][0]["done"]
            held = [one for one in held if one[1] != said["attempt"] or not over]
        return held
