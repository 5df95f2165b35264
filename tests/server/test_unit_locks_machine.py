"""Units with locks, whatever happens to specs, units and locks: what must hold does."""

import random
from collections import Counter
from itertools import combinations

import pytest

from coordinate_protocol.messages import Failure, Response
from coordinate_server.model.locks.entries import HELD
from coordinate_server.model.locks.tree import conflict
from tests.server.house import House, result_of

KEYS = "abcdefgh"
PATHS = (["L"], ["L", 1], ["L", 2], ["M"], ["M", "x"])


class Stress:
    """A client that does what comes to its mind; everything is looked over after each step."""

    def __init__(self, chance):
        self.chance = chance
        self.house = House()
        self.client = self.house.client(protocol=[1])
        self.mine: dict = {}
        for name in "st":
            self.define(name)
        self.acts = [
            *[self.add] * 20,
            *[self.take] * 20,
            *[self.end] * 15,
            *[self.prioritize] * 7,
            *[self.lock] * 8,
            *[self.wait_for_lock] * 3,
            *[self.unlock] * 6,
            *[self.wait] * 8,
            *[self.redefine] * 2,
            *[self.delete] * 2,
            *[self.pause] * 3,
            *[self.explain] * 2,
            *[self.depend] * 1,
            *[self.force] * 2,
            *[self.restart] * 3,
        ]

    def call(self, method, *params):
        answer = self.client.answer(method, *params)
        assert not isinstance(answer, Failure), (method, params, answer.message)
        self.house.committer.request_flush()
        self.house.loop.settle()
        return result_of(answer)

    @property
    def spec(self):
        return self.chance.choice("st")

    # ---- what may happen ----

    def define(self, name):
        """Set a spec with some of what decides which unit is next."""
        chosen = {
            "fair_key": "u",
            "serial_key": "k",
            "max_running": 2,
            "then": self.spec,
            "priority": self.chance.randint(-1, 1),
            "max_retries": 2,
        }
        some = {key: value for key, value in chosen.items() if self.chance.random() < 0.3}
        self.call("set_work_spec", {"name": name, "min_gb": 1, **some})

    def locks(self):
        if self.chance.random() < 0.2:
            return []
        apart = self.chance.choice([[0, 3], [1, 2, 4]])
        chosen = self.chance.sample(apart, self.chance.randint(1, 2))
        modes = ["exclusive", "exclusive", "shared"]
        return [{"path": PATHS[n], "mode": self.chance.choice(modes)} for n in chosen]

    def add(self):
        output = [(self.chance.choice(KEYS), {"u": 1}, {"locks": self.locks()})]
        data = {"u": self.chance.randint(1, 3), "k": self.chance.randint(1, 2), "output": output}
        options = {"locks": self.locks(), "priority": self.chance.randint(0, 2)}
        if self.chance.random() < 0.1:
            options["delay"] = self.chance.randint(1, 5)
        self.call("add_work_units", self.spec, [(self.chance.choice(KEYS), data, options)])

    def take(self):
        asked = {"attempts": True, "max_jobs": self.chance.choice([2, 3])}
        if self.chance.random() < 0.5:
            asked["work_spec_names"] = [self.spec]
        for unit in self.call("get_work", "w", asked)[0]:
            self.mine[unit[0], unit[1]] = unit[3]["attempt"]

    def end(self):
        if self.mine:
            unit = self.chance.choice(sorted(self.mine))
            said = {"attempt": self.mine.pop(unit), "status": self.chance.choice([1, 4, 4, 5])}
            self.call("update_work_unit", *unit, said)

    def prioritize(self):
        keys = self.chance.sample(KEYS, 2)
        rank = {"work_unit_keys": keys, "priority": self.chance.randint(0, 3)}
        self.call("prioritize_work_units", self.spec, rank)

    def lock(self):
        mode = {"mode": self.chance.choice(["exclusive", "shared"])}
        self.call("lock", self.chance.choice("xy"), 5, [self.chance.choice(PATHS)], mode)

    def wait_for_lock(self):
        path = self.chance.choice(PATHS)
        answer = self.client.answer("lock", self.chance.choice("xy"), 5, [path], {"wait": 9})
        if not isinstance(answer, Response | Failure) and self.chance.random() < 0.3:
            answer.abandon()

    def unlock(self):
        self.call("unlock", self.chance.choice("xy"), [self.chance.choice(PATHS)])

    def wait(self):
        self.house.move(self.chance.choice([1, 5, 11]))

    def redefine(self):
        self.define(self.spec)

    def delete(self):
        name = self.spec
        if self.chance.random() < 0.3:
            self.call("del_work_spec", name, {"cascade": True})
            self.define(name)
        else:
            which = self.chance.choice([{"all": True}, {"work_unit_keys": [*KEYS[:3]]}])
            self.call("del_work_units", name, which)

    def pause(self):
        self.call("control_work_spec", self.spec, {"status": self.chance.choice([1, 2])})

    def explain(self):
        self.call("explain_work_spec", self.spec)
        self.call("explain_worker", "w")

    def depend(self):
        later, earlier = self.chance.sample(KEYS, 2)
        self.call("add_dependencies", [((self.spec, later), (self.spec, earlier))])

    def force(self):
        status = {"status": self.chance.choice([1, 3, 4])}
        self.call("update_work_unit", self.spec, self.chance.choice(KEYS), status)

    def restart(self):
        self.house = self.house.restarted()
        self.client = self.house.client(protocol=[1])

    # ---- what must hold ----

    def look_over(self):
        """No two hold what excludes each other, and units hold theirs just while pending."""
        namespace = self.house.model.namespace("default")
        held = list(_held(namespace.locks.tree.root))
        assert not [pair for pair in combinations(held, 2) if conflict(*pair)]
        holding = {(entry.unit.spec, entry.unit.key) for entry in held if entry.unit}
        for name, roster in namespace._rosters.items():
            units = list(roster.units.values())
            needing = {(name, unit.key) for unit in units if unit.locks and unit.status == 3}
            assert needing == {place for place in holding if place[0] == name}
            assert Counter(unit.status for unit in units) == Counter(
                {status: number for status, number in roster._counts.items() if number}
            )
            self.look_over_lanes(roster)

    def look_over_lanes(self, roster):
        """Who is set aside is available; a lane that does not wait has somebody who is ready."""
        lanes = roster.locks._lanes.values()
        for lane in lanes:
            for unit in [*lane.waiting.values(), *lane.ready]:
                assert (roster.units.get(unit.key), unit.status) == (unit, 1)
            assert lane.ready or (lane.claim is not None and not lane.claim.free)
        assert roster.locks.waiting == sum(len(lane.waiting) for lane in lanes)

    def drain(self):
        """Everything that may run runs, and leaves nothing behind."""
        for name in "st":
            self.call("control_work_spec", name, {"status": 1})
        self.house.move(100_000)
        for _ in range(300):
            units = self.call("get_work", "w", {"attempts": True, "max_jobs": 5})[0]
            for name, key, _, details in units:
                said = {"attempt": details["attempt"], "status": 4, "data": {}}
                self.call("update_work_unit", name, key, said)
            if not units:
                self.house.move(11)
        namespace = self.house.model.namespace("default")
        for roster in namespace._rosters.values():
            assert not roster.count(1)
            assert not roster.locks._lanes
            assert not roster.locks._held
        assert not namespace.locks.tree.root.children


def _held(node):
    yield from node.here(HELD)
    for child in node.children.values():
        yield from _held(child)


@pytest.mark.parametrize("run", range(40))
def test_whatever_happens_locks_and_units_agree(seed, run):
    """Random steps, each followed by a look over everything; at the end all that can has run."""
    stress = Stress(random.Random(f"{seed} {run}"))
    for _ in range(400):
        stress.chance.choice(stress.acts)()
        stress.look_over()
    stress.drain()
