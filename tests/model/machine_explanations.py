"""Whether what the server says of itself is true: each reason's claim, by the oracle."""

from tests.model.oracle import AVAILABLE, DELAYED, FAILED, FINISHED, PENDING
from tests.model.oracle_dependencies import BLOCKED

OF_STATUS = {
    PENDING: {"pending"},
    BLOCKED: {"blocked"},
    FINISHED: {"ended"},
    FAILED: {"ended", "failed_dependency"},
    DELAYED: {"delayed"},
}
NAMES = {
    AVAILABLE: "available",
    BLOCKED: "blocked",
    PENDING: "pending",
    FINISHED: "finished",
    FAILED: "failed",
    DELAYED: "delayed",
}
MISFITS = ("not_asked_for", "min_gb", "runtime")


class Claims:
    """What a reason's code claims of a spec or a unit, and whether it is so.

    Arguments:
        oracle: who knows.
        request: (names, gigabytes, runtimes) of who would ask; None for anybody.
    """

    def __init__(self, oracle, request=None):
        self.oracle, self.request = oracle, request
        anything = (None, None, None)
        self.able = oracle.able(*(request or anything))
        self.choices = oracle.choices(*(request or anything))

    def holds(self, code, name, key=None):
        """Whether it is true of a spec, or of one of its available units."""
        if code in MISFITS:
            if self.request is None:
                return self.oracle.unasked(name)
            return code in self.oracle.misfits(name, *self.request)
        if code in ("preempted", "priority", "weight", "runs_next"):
            return name in self.able and self.turn(code, name, key)
        return self.gate(code, name, key)

    def gate(self, code, name, key):
        oracle, spec = self.oracle, self.oracle.specs[name]
        limits = oracle.field(name, "uses", [])
        idle = not oracle.ready(name) and not oracle.may_make(name)
        waits = oracle.field(name, "schedule") or oracle.controls(name)["continuous"]
        most = oracle.controls(name)["max_running"]
        pending = len(oracle.pending(name))
        return {
            "no_work": idle,
            "not_due": idle and bool(waits),
            "paused": spec["paused"],
            "max_running": most is not None and most <= pending,
            "rate": oracle.rate_room(name) <= 0,
            "limit": any(oracle.limits[limit] <= oracle.used(limit) for limit in limits),
            "serial": self.is_held_back(name, key),
            "ahead": oracle.runnable(name)[:1] != [key] or len(oracle.heads(name)) > 1,
        }[code]

    def is_held_back(self, name, key):
        units = self.oracle.specs[name]["units"]
        if key is None:
            return bool(self.oracle.ready(name)) and not self.oracle.runnable(name)
        return self.oracle.held_back(name, units[key])

    def turn(self, code, name, key):
        preempted = self.is_preempted(name)
        if code == "preempted":
            return preempted
        if code == "priority":
            return not preempted and name not in self.choices
        if code == "weight":
            return name in self.choices and len(self.choices) > 1
        heads = self.oracle.allowed(name)
        return name in self.choices and (key is None or key in heads)

    def is_preempted(self, name):
        """Whether work further down its chain goes first."""
        loop = name in self.oracle.reached(name, preempting=False)
        return not loop and bool(self.able.intersection(self.oracle.reached(name, preempting=True)))


def check_unit(claims, name, key, answer):
    """Compare the explanation of a unit with the truth; gives whether it says that it is next."""
    unit = claims.oracle.unit(name, key)
    codes = [reason["code"] for reason in answer["reasons"]]
    assert answer["status"] == unit["status"]
    assert answer["text"]
    assert codes, "no reason at all"
    assert all(reason["text"] for reason in answer["reasons"])
    if unit["status"] != AVAILABLE:
        assert codes[0] in OF_STATUS[unit["status"]]
        assert ("failed_dependency" in codes) == (unit["culprits"] is not None)
        return False
    for code in codes:
        assert claims.holds(code, name, key), f"{code!r} is not true of {key!r} of {name!r}"
    alone = claims.choices == {name} and list(claims.oracle.allowed(name)) == [key]
    sure = alone and not claims.oracle.unasked(name)
    assert not sure or codes == ["runs_next"]
    return codes == ["runs_next"]


def check_spec(claims, name, answer):
    """Compare the explanation of a spec with the truth."""
    oracle, counts = claims.oracle, answer["counts"]
    units = [unit["status"] for unit in oracle.specs[name]["units"].values()]
    for status, word in NAMES.items():
        archived = oracle.specs[name]["archived"].get(status, 0)
        assert counts[word] == units.count(status) + archived, word
    assert counts["runnable"] + sum(counts["waiting"].values()) == counts["available"]
    assert all(counts["waiting"].values())
    runs = name in claims.able and not claims.is_preempted(name)
    assert (counts["runnable"] > 0) == (runs and bool(oracle.runnable(name)))
    assert answer["text"]
    for reason in answer["reasons"]:
        assert claims.holds(reason["code"], name), f"{reason['code']!r} is not true of {name!r}"


def check_worker(claims, worker, answer):
    """Compare what a worker is told with the truth; gives the unit that it would get, or None."""
    oracle, get = claims.oracle, answer["would_get"]
    held = [
        (name, key)
        for name, key in oracle.all_units()
        if oracle.unit(name, key)["status"] == PENDING
        if oracle.unit(name, key)["worker"] == worker
    ]
    found = [(hold["work_spec_name"], hold["work_unit_key"]) for hold in answer["holds"]]
    assert sorted(found) == sorted(held)
    assert [spec["work_spec_name"] for spec in answer["specs"]] == sorted(oracle.specs)
    assert (get is None) == (not claims.choices)
    places = {}
    for spec in answer["specs"]:
        name = spec["work_spec_name"]
        if "place" in spec:
            places[spec["place"]] = name
        for reason in spec["reasons"]:
            assert claims.holds(reason["code"], name), f"{reason['code']!r} is not true of {name!r}"
    assert sorted(places) == list(range(1, len(places) + 1))
    assert claims.choices.issubset(places.values())
    assert claims.able.issuperset(places.values())
    assert get is None or places[1] == get["work_spec_name"]
    return None if get is None else (get["work_spec_name"], get["work_unit_key"])
