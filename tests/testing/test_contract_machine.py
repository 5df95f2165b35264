"""The same calls to the server in memory and to the real one, at random: each answers alike."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coordinate_client.exceptions import CoordinateException
from coordinate_protocol.constants import AVAILABLE, FAILED, FINISHED, PENDING
from tests.testing.parties import Fake, Real

SPECS = ("r", "s")
KEYS = ("a", "b", "c", "d")
specs = st.sampled_from(SPECS)
keys = st.sampled_from(KEYS)
statuses = st.sampled_from([AVAILABLE, PENDING, FINISHED, FAILED])
priorities = st.sampled_from([None, 0, 1, 2])
fields = st.fixed_dictionaries(
    {},
    optional={
        "max_retries": st.sampled_from([0, 1, 2]),
        "retry_delay": st.sampled_from([0, 7, 20]),
        "max_lost_leases": st.sampled_from([1, 2]),
        "max_running": st.sampled_from([1, 2]),
        "max_getwork": st.just(1),
        "min_gb": st.sampled_from([1, 4]),
        "disabled": st.booleans(),
        "then": specs,
        "then_preempts": st.booleans(),
    },
)
outputs = st.sampled_from([None, ["c"], {"d": {"n": 1}}, [["c", {}, {"delay": 5}]], "none", [5]])


class Alike(RuleBasedStateMachine):
    """Both do the same."""

    def __init__(self):
        super().__init__()
        self.parties = (Fake(), Real())
        self.masters = tuple(party.client() for party in self.parties)
        # Both halves of each unit that was handed out.
        self.held: list = []
        for name in SPECS:
            self.both(lambda master, name=name: master.set_work_spec(spec(name, {})))

    def both(self, call):
        """Make a call to both, and give what they say."""
        said = [answer(call, master) for master in self.masters]
        assert said[0] == said[1]
        return said[0]

    @rule(name=specs, fields=fields, first=st.booleans())
    def set_spec(self, name, fields, first):
        more = {"priority": 2} if first and name == "r" else {}
        self.both(lambda master: master.set_work_spec(spec(name, fields | more)))

    @rule(name=specs, paused=st.booleans())
    def pause(self, name, paused):
        self.both(lambda master: master.pause_work_spec(name, paused=paused))

    @rule(
        name=specs,
        key=keys,
        priority=priorities,
        delay=st.sampled_from([None, 0, 5, 30]),
        needs=st.lists(st.tuples(specs, keys, st.booleans()), max_size=2),
    )
    def add(self, name, key, priority, delay, needs):
        options = {"priority": priority, "delay": delay, "depends_on": needs}
        self.both(lambda master: master.add_work_units(name, [(key, {"n": 1}, options)]))

    @rule(
        edges=st.lists(
            st.tuples(st.tuples(specs, keys), st.tuples(specs, keys), st.booleans()),
            min_size=1,
            max_size=3,
        ),
        given=st.booleans(),
    )
    def add_edges(self, edges, given):
        data: tuple = ({},) if given else ()
        wanted = [((*later, *data), (*earlier, *data), hard) for later, earlier, hard in edges]
        self.both(lambda master: master.add_dependencies(wanted))

    @rule(name=specs, keys=st.lists(keys, max_size=2), priority=st.sampled_from([0, 3]))
    def prioritize(self, name, keys, priority):
        self.both(lambda master: master.prioritize_work_units(name, keys, adjustment=priority))

    @rule(
        name=st.sampled_from([None, ["r"], ["s"], ["r", "s"]]),
        most=st.sampled_from([1, 2, 9]),
        lease=st.sampled_from([5, 20, 100]),
        gigabytes=st.sampled_from([None, 2]),
    )
    def get(self, name, most, lease, gigabytes):
        found = [
            units_of(master.get_work("w", gigabytes, lease, name, max_jobs=most))
            for master in self.masters
        ]
        shown = [[(one.work_spec_name, one.key, one.data) for one in units] for units in found]
        if shown[0] != shown[1]:
            raise AssertionError(f"memory: {shown[0]}; real: {shown[1]}")
        self.held += zip(*found, strict=True)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), how=st.sampled_from(["finish", "fail", "retry", "update"]), out=outputs)
    def tell(self, data, how, out):
        units = data.draw(st.sampled_from(self.held))
        said = []
        for unit in units:
            if out is not None:
                unit.data = {"output": out}
            said.append(answer(lambda unit: getattr(unit, how)(), unit))
        assert said[0] == said[1]

    @precondition(lambda self: self.held)
    @rule(data=st.data(), delay=st.sampled_from([0, 10]), fails=st.booleans())
    def tell_later(self, data, delay, fails):
        units = data.draw(st.sampled_from(self.held))
        how = "fail" if fails else "retry"
        said = [answer(lambda unit: getattr(unit, how)(delay=delay), unit) for unit in units]
        assert said[0] == said[1]

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def finish_many(self, data):
        pairs = data.draw(st.lists(st.sampled_from(self.held), max_size=3))
        said = [
            [(one.done, one.lost) for one in master.finish_units([pair[side] for pair in pairs])]
            for side, master in enumerate(self.masters)
        ]
        assert said[0] == said[1]

    @rule(name=specs, key=keys, status=statuses)
    def force(self, name, key, status):
        self.both(lambda master: master.update_work_unit(name, key, status=status))

    @rule(
        name=specs,
        keys=st.one_of(st.none(), st.lists(keys, max_size=2)),
        status=st.one_of(st.none(), statuses),
        cascade=st.booleans(),
    )
    def delete(self, name, keys, status, cascade):
        self.both(lambda master: master.del_work_units(name, keys, status, cascade=cascade))

    @rule(seconds=st.sampled_from([1, 5, 20, 100]))
    def advance(self, seconds):
        for party in self.parties:
            party.advance(seconds)

    @rule(name=specs, key=keys)
    def look_back(self, name, key):
        self.both(lambda master: attempts_of(master, name, key))

    @invariant()
    def all_is_alike(self):
        for name in SPECS:
            self.both(lambda master, name=name: master.count_work_units(name))
            self.both(lambda master, name=name: master.get_work_units(name))
            self.both(lambda master, name=name: status_of(master, name))


def spec(name, fields):
    # None is equal to the other: whose turn it is by weight, the server in memory reckons roughly.
    fixed = {"name": name, "min_gb": 1, "module": "m", "run_function": "f"}
    return fixed | {"priority": SPECS.index(name)} | fields


def answer(call, subject):
    """Give what a call gives, or the kind of error."""
    try:
        return call(subject)
    except CoordinateException as error:
        return type(error)


def units_of(found):
    return [] if found is None else found if isinstance(found, list) else [found]


def attempts_of(master, name, key):
    """Give a unit's hand-outs without their numbers, which are the server's own."""
    found = master.get_work_unit_attempts(name, key) or []
    numbers = [one["attempt"] for one in found]
    assert numbers == sorted(set(numbers))
    return [one | {"attempt": None} for one in found]


def status_of(master, name):
    found = master.get_work_unit_status(name, KEYS)
    return [
        one and {key: value for key, value in one.items() if key != "output_error"} for one in found
    ]


TestAlike = Alike.TestCase
TestAlike.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
