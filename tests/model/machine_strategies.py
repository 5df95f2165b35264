"""What the wide machine does things with: specs of few features each, units, edges."""

from typing import Any

from hypothesis import strategies as st

from tests.model.machine import KEYS, NAMES, PRIORITIES, WORKERS

__all__ = ["ENDS", "KEYS", "LIMITS", "NAMES", "PRIORITIES", "WORKERS"]

LIMITS = {"L1": 1, "L2": 2}

DELAYS = st.sampled_from([0, 5, 50])
RUNTIMES = st.none() | st.lists(st.sampled_from(["python", "rust"]), min_size=1, unique=True)

LANES: dict[str, st.SearchStrategy[Any]] = {
    "f": st.sampled_from(["x", "y", 1]),
    "s": st.sampled_from(["x", "y"]),
}
# The last is none of the forms that an output may have.
OUTPUTS: st.SearchStrategy[Any] = st.dictionaries(KEYS, st.just({}), max_size=2) | st.just(7)
DATA: st.SearchStrategy[Any] = st.fixed_dictionaries({}, optional=LANES) | st.fixed_dictionaries(
    {"n": st.integers(0, 9)}, optional={**LANES, "output": OUTPUTS}
)


def _one(field, *values):
    return st.sampled_from([{field: value} for value in values])


def _continuous(interval, schedule):
    """A spec makes units up in one way or the other."""
    if schedule is None:
        return {"continuous": True} | ({} if interval is None else {"interval": interval})
    return schedule


_SCHEDULES = st.fixed_dictionaries(
    {"schedule": st.sampled_from(["* * * * *", "*/5 * * * *"])},
    optional={
        "timezone": st.just("Europe/Berlin"),
        "missed_runs": st.sampled_from(["one", "none"]),
    },
)
_RETRIES = st.fixed_dictionaries(
    {"max_retries": st.integers(0, 3), "retry_jitter": st.just(0)},
    optional={
        "retry_delay": st.sampled_from([1, 8]),
        "retry_backoff": st.sampled_from([1, 3.5]),
        "retry_delay_max": st.sampled_from([5, 20]),
    },
)
_FEATURES = st.one_of(
    st.builds(lambda priority: {"priority": priority}, PRIORITIES),
    _one("weight", 1, 7, 40),
    _one("max_running", 0, 1, 2, 3),
    _one("max_getwork", 1, 2),
    st.builds(lambda then: {"then": then}, NAMES),
    _one("then_preempts", False),
    _one("disabled", True),
    _one("uses", ["L1"], ["L2"], ["L1", "L2"]),
    _one("fair_key", "f", "s"),
    st.builds(lambda most: {"serial_key": "s", "serial_max": most}, st.integers(1, 2)),
    _one("rate", {"units": 1, "seconds": 5}, {"units": 3, "seconds": 60}),
    _one("runtime", "python", "rust"),
    _one("max_lost_leases", 1, 2),
    *[_RETRIES] * 4,
    st.builds(_continuous, st.sampled_from([None, 1, 60]), st.none() | _SCHEDULES),
)


def _spec(name, gigabytes, features):
    definition = {"name": name, "min_gb": gigabytes}
    for feature in features:
        definition |= feature
    if "continuous" in definition:
        for field in ("schedule", "timezone", "missed_runs"):
            definition.pop(field, None)
    return definition


SPECS = st.builds(_spec, NAMES, st.sampled_from([0, 0, 1, 4]), st.lists(_FEATURES, max_size=4))

NEEDS = st.one_of(
    KEYS, st.tuples(NAMES, KEYS), st.tuples(NAMES, KEYS, st.just(True) | st.booleans())
)
UNITS = st.lists(
    st.tuples(
        KEYS,
        DATA,
        st.fixed_dictionaries(
            {},
            optional={
                "priority": PRIORITIES,
                "delay": DELAYS,
                "depends_on": st.lists(NEEDS, max_size=2),
            },
        ),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda unit: unit[0],
)
FIRST_UNITS = st.lists(st.tuples(KEYS, DATA), min_size=3, max_size=5, unique_by=lambda u: u[0])

ENDS = st.tuples(NAMES, KEYS, st.none() | DATA)
_SHORT_ENDS = ENDS | st.tuples(NAMES, KEYS)
EDGES = st.lists(
    st.tuples(_SHORT_ENDS, _SHORT_ENDS) | st.tuples(_SHORT_ENDS, _SHORT_ENDS, st.booleans()),
    min_size=1,
    max_size=3,
)
