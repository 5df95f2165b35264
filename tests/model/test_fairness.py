"""Every spec that has work gets its share, at any time and whatever was before."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model.conftest import House

MARGIN = 1 + 1e-6
LOOP, CONTINUOUS = 1 / 2, 1 / 20
MANY = 40


class Farm:
    """Specs that always have work, and what each should have had by now.

    Arguments:
        house: where they are.
        rng: decides about everything that is left to chance.
        workers: how many ask.
    """

    def __init__(self, house, rng, workers):
        self.house, self.rng, self.workers = house, rng, workers
        self.specs = {}
        self.left = {}
        self.paused = set()
        self.number = 0

    def name(self):
        self.number += 1
        return f"s{self.number:02}"

    def plant(self, kind=None, weight=None, **fields):
        """Make a spec with work: plain, continuous, or one that leads to itself."""
        name = self.name()
        kind = kind or self.rng.choice(["plain", "plain", "plain", "loop", "continuous"])
        fields |= {"loop": {"then": name}, "continuous": {"continuous": True}}.get(kind, {})
        self.specs[name] = {"weight": weight or self.rng.randint(1, 100), **fields}
        self.define(name)
        self.left[name] = 0
        self.water(name)
        return name

    def define(self, name):
        self.house.spec(name, **self.specs[name])
        self.paused.discard(name)

    def water(self, name):
        """Give a spec more work before it has none."""
        if self.left[name] < 2:
            self.house.add(name, *(f"{self.number}-{i:02}" for i in range(MANY)))
            self.number += 1
            self.left[name] += MANY

    def remove(self, name):
        self.house.space.delete_spec(self.house.at, name)
        del self.specs[name], self.left[name]
        self.paused.discard(name)

    def control(self, name, **options):
        self.house.space.control_spec(self.house.at, name, options)

    def other_weight(self, name):
        """Give a spec another weight; nothing begins anew with the one it has."""
        known = self.specs[name]["weight"]
        self.specs[name]["weight"] = self.rng.choice([w for w in range(1, 101) if w != known])
        return self.specs[name]["weight"]

    def reweigh(self, name):
        self.control(name, weight=self.other_weight(name))

    def redefine(self, name):
        self.other_weight(name)
        self.define(name)

    def pause(self, name):
        self.paused.add(name)
        self.control(name, status=2)

    def resume(self, name):
        self.paused.discard(name)
        self.control(name, status=1)

    def weight(self, name):
        """What a spec counts for."""
        fields = self.specs[name]
        loop = LOOP if fields.get("then") == name else 1
        return fields["weight"] * loop * (CONTINUOUS if fields.get("continuous") else 1)

    def weights(self, names=None):
        """What all count for that can run, or those of them that are named."""
        running = [name for name in self.specs if name not in self.paused]
        return {name: self.weight(name) for name in running if names is None or name in names}

    def harvest(self, names=None, **options):
        """Hand out one unit; gives its spec."""
        worker = f"w{self.rng.randrange(self.workers)}"
        unit = self.house.get(worker, specs=names, **options)[0]
        self.left[unit.spec] -= 1
        self.water(unit.spec)
        if self.rng.random() < 0.5:
            self.house.update(unit.spec, unit.key.decode(), status=4, worker_id=worker)
        return unit.spec


class Tally:
    """What each spec has had since the last change, beside its share of that.

    Arguments:
        weights: of those who have work.
        watched: whose shares are looked at; None for all.
        debt: how many hand-outs these may have had too much before.
    """

    def __init__(self, weights, watched=None, debt=0):
        self.weights, self.total = weights, sum(weights.values())
        self.watched, self.debt = weights if watched is None else watched, debt
        self.had = dict.fromkeys(weights, 0)
        self.number = 0

    def note(self, name):
        """Count a hand-out and see whether all have what they should have."""
        self.number += 1
        self.had[name] += 1
        for spec in self.watched:
            share = self.number * self.weights[spec] / self.total
            assert -MARGIN - self.debt <= self.had[spec] - share <= MARGIN, (
                f"{spec} has had {self.had[spec]} of {self.number}, not {share:.3f}, by weights"
                f" {self.weights}"
            )


CHANGES = ["reweigh", "redefine", "pause", "resume", "plant", "remove"]


def change(farm, what):
    """Change something, if that can be done now; whether it was."""
    running = sorted(farm.weights())
    if what == "plant":
        farm.plant()
    elif what == "resume":
        if not farm.paused:
            return False
        farm.resume(farm.rng.choice(sorted(farm.paused)))
    elif what in ("pause", "remove") and len(running) < 2:
        return False
    else:
        getattr(farm, what)(farm.rng.choice(running))
    return True


@pytest.mark.parametrize("number", range(60))
@pytest.mark.parametrize("workers", [1, 100])
def test_shares_stay_within_one_hand_out_since_the_last_change(house, number, workers, seed):
    """Specs that always have work are within one hand-out of their shares since a change."""
    farm = Farm(house, random.Random(seed + number), workers)
    for _ in range(farm.rng.randint(1, 12)):
        farm.plant()
    for _ in range(8):
        tally = Tally(farm.weights())
        for _ in range(farm.rng.choice([1, 5, 40, 120])):
            tally.note(farm.harvest())
        while not change(farm, farm.rng.choice(CHANGES)):
            pass


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("number", range(20))
def test_shares_are_counted_anew_after_each_kind_of_change(house, number, what, seed):
    """The same after one kind of change again and again, with few hand-outs between."""
    farm = Farm(house, random.Random(seed + number), 3)
    for _ in range(farm.rng.randint(2, 12)):
        farm.plant()
    for _ in range(12):
        if not (change(farm, what) or change(farm, "pause")):
            change(farm, "plant")
        tally = Tally(farm.weights())
        for _ in range(farm.rng.randint(1, 30)):
            tally.note(farm.harvest())


@given(
    weights=st.lists(st.integers(1, 100), min_size=1, max_size=12),
    kinds=st.lists(st.sampled_from(["plain", "loop", "continuous"]), min_size=12, max_size=12),
    number=st.integers(1, 150),
)
def test_shares_of_any_weights(weights, kinds, number):
    """Whatever the weights and kinds are, every spec is within one hand-out of its share."""
    farm = Farm(House(), random.Random(0), 1)
    for weight, kind in zip(weights, kinds, strict=False):
        farm.plant(kind, weight)
    tally = Tally(farm.weights())
    for _ in range(number):
        tally.note(farm.harvest())


@pytest.mark.parametrize("number", range(60))
def test_spec_that_was_idle_claims_no_arrears(house, number, seed):
    """From when a spec has work again it has its share of what is handed out since, no more.

    It never gets more, however long it was idle. What it had too much it works off while others
    are served; one that comes back before that still owes it, which is less than one hand-out.
    """
    farm = Farm(house, random.Random(seed + number), 3)
    for _ in range(farm.rng.randint(1, 11)):
        farm.plant("plain")
    idler, weight = "idler", farm.rng.randint(1, 100)
    house.spec(idler, weight=weight)
    share = weight / (weight + sum(farm.weights().values()))
    for _ in range(5):
        away = farm.rng.choice([1, 3, 20, 150])
        for _ in range(away):
            assert farm.harvest() != idler
        farm.specs[idler], farm.left[idler] = {"weight": weight}, 0
        farm.water(idler)
        tally = Tally(farm.weights(), watched=[idler], debt=0 if away * share >= 1 else 1)
        for _ in range(farm.rng.choice([1, 10, 100])):
            tally.note(farm.harvest())
        del farm.specs[idler], farm.left[idler]
        house.space.delete_units(house.at, idler, states=[1])


def filters(farm):
    """Give some ways of asking, each with the specs that it accepts; no two accept the same."""
    names = sorted(farm.specs)
    ways: list[tuple[dict[str, Any], list[str]]] = [({"names": None}, names)]
    for _ in range(farm.rng.randint(1, 5)):
        some = sorted(farm.rng.sample(names, farm.rng.randint(1, len(names))))
        ways.append(({"names": some}, some))
    small = [name for name in names if farm.specs[name]["min_gb"] <= 2]
    ways.append(({"available_gb": 2}, small))
    python = [name for name in names if farm.specs[name].get("runtime") != "rust"]
    ways.append(({"runtimes": ["python"]}, python))
    return {tuple(accepted): (options, accepted) for options, accepted in ways if accepted}


@pytest.mark.parametrize("number", range(40))
def test_nobody_that_a_filter_accepts_starves(house, number, seed):
    """Of what one way of asking is given, each spec it accepts has its share."""
    farm = Farm(house, random.Random(seed + number), 20)
    for _ in range(farm.rng.randint(2, 12)):
        runtime = farm.rng.choice([None, None, "python", "rust"])
        farm.plant(min_gb=farm.rng.choice([1, 4]), runtime=runtime)
    ways = list(filters(farm).values())
    often = [farm.rng.choice([1, 1, 10]) for _ in ways]
    for _ in range(3):
        tallies = [Tally(farm.weights(accepted)) for _, accepted in ways]
        for _ in range(300):
            which = farm.rng.choices(range(len(ways)), often)[0]
            if tallies[which].weights:
                tallies[which].note(farm.harvest(**ways[which][0]))
        while not change(farm, farm.rng.choice(["reweigh", "redefine", "pause", "resume"])):
            pass


@pytest.mark.parametrize("number", range(20))
def test_priorities_are_strict(house, number, seed):
    """A spec of higher priority goes first, then one with a better unit, whatever the weights."""
    rng = random.Random(seed + number)
    work: dict[str, Any] = {}
    priorities: dict[str, int] = {}
    for name in "abcdef":
        priorities[name] = rng.choice([-1, 0, 0, 2])
        house.spec(name, weight=rng.randint(1, 100), priority=priorities[name])
        work[name] = {}
    for turn in range(200):
        name, priority = rng.choice("abcdef"), rng.choice([-1, 0, 0, 0, 3])
        house.add(name, f"{turn:03}", priority=priority)
        work[name][f"{turn:03}"] = priority
        if turn < 30 or rng.random() < 0.2:
            continue
        ranks = {n: (priorities[n], max(units.values())) for n, units in work.items() if units}
        found = house.get()[0]
        assert ranks[found.spec] == max(ranks.values())
        best = max(work[found.spec].values())
        firsts = [key for key, rank in work[found.spec].items() if rank == best]
        assert found.key.decode() == min(firsts)
        del work[found.spec][found.key.decode()]
