"""What a data file holds, and whether that is what was acknowledged, no less and no more."""

from collections import Counter
from pathlib import Path

from coordinate_protocol.codec import decode
from coordinate_protocol.constants import AVAILABLE, PENDING, STATUS_NAMES
from coordinate_server.store.sqlite import SqliteStore
from tests.server.house import House

_PROBE = "probe"


class Wrong(AssertionError):
    """What is there is not what was acknowledged."""


def check_file(path, known, *, wall_stands=True):
    """Start from a file twice, and see that all is as the clients know it.

    Args:
        path: of the data file.
        known: what is known of each client, by its number.
        wall_stands: whether the writer's clocks stood still, as those here do: then leases are
            looked at, too, and the next token cannot be greater because time has passed.

    Raises:
        Wrong: it is not.
        StoreError: the store refuses the file.
        ModelError: the model refuses its rows.
    """
    with Opened(path) as house:
        first = observed(house, leases=wall_stands)
        _check_counts(house)
    with Opened(path) as house:
        _equal("the second start", first, observed(house, leases=wall_stands))
        check_clients(first, known)
        _check_next_token(house, first, known)
        _ask_again(house, known, leases=wall_stands)
        _settle(house)
        after = observed(house, leases=wall_stands)
    with Opened(path) as house:
        _equal("the start from rows alone", after, observed(house, leases=wall_stands))
        _check_counts(house)


class Opened:
    """A server on a file, without a network, until the end of a ``with``."""

    def __init__(self, path):
        self._store = SqliteStore(Path(path))

    def __enter__(self):
        try:
            return House(store=self._store)  # type: ignore[arg-type] # any store will do
        except BaseException:
            self._store.close()
            raise

    def __exit__(self, *exc):
        self._store.close()


# What there is


def observed(house, *, leases=True):
    """Give all units, specs and locks of a server in the form of `Oracle.view`.

    Args:
        house: the server.
        leases: whether with how long units are leased.
    """
    namespace, at = house.model.namespace("default"), house.clock.instant()
    found = {}
    for spec in namespace.list_specs()[0]:
        found[f"spec {spec.name}"] = {"weight": spec.weight}
        keys = [key for key, _ in namespace.list_units(at, spec.name, limit=10**9)]
        for view in namespace.unit_status(at, spec.name, keys):
            found[f"unit {spec.name}/{view.key.decode()}"] = _unit(house, view, leases)
    for lock in house.answer("list_locks", {"limit": 10_000}).result[0]:
        found[f"lock {lock['path'][1]}"] = {"token": lock["token"]}
    return found


def _unit(house, view, leases):
    shown = {
        "data": decode(view.data),
        "priority": view.priority,
        "status": view.status,
        "attempt": view.attempt or None,
        "worker_id": view.worker_id,
    }
    if leases:
        held = view.status == PENDING
        shown["lease"] = view.deadline - house.clock.now if held else None
    return shown


def _check_counts(house):
    """See that each unit is in one state, and that the numbers say so, too."""
    namespace, at = house.model.namespace("default"), house.clock.instant()
    for spec in namespace.list_specs()[0]:
        by_state = {
            status: {key for key, _ in namespace.list_units(at, spec.name, [status], 10**9)}
            for status in STATUS_NAMES
        }
        counted = +Counter({status: len(keys) for status, keys in by_state.items()})
        everything = {key for key, _ in namespace.list_units(at, spec.name, limit=10**9)}
        if (
            sum(counted.values()) != len(everything)
            or set().union(*by_state.values()) != everything
        ):
            raise Wrong(f"{spec.name}: a unit is in no state or in two: {by_state}")
        if namespace.count_units(at, spec.name) != dict(counted):
            raise Wrong(f"{spec.name}: the counts are not those of its units: {dict(counted)}")


# Whether that is right


def check_clients(found, known):
    """See that what is there is what each client knows, with or without the call under way.

    Raises:
        Wrong: it is neither.
    """
    rest = dict(found)
    for number, one in known.items():
        mine = {name: rest.pop(name) for name in list(rest) if _owner(name) == number}
        without = differences(one.oracle.view(), mine)
        if without and (one.asked is None or _with_the_call(one, mine)):
            raise Wrong(
                f"client {number}, {one.answers} answers, asked {one.asked}:"
                f" {'; '.join(without[:5])}"
            )
    if rest:
        raise Wrong(f"nobody asked for {sorted(rest)[:5]}")


def _owner(name):
    """Give the number of the client whose thing it is: names begin with ``client1-`` or so."""
    kind, _, rest = name.partition(" ")
    del kind
    return int(rest.removeprefix("client").partition("-")[0]) if rest.startswith("client") else None


def _with_the_call(one, mine):
    """Give what would be wrong if the call under way had been done."""
    after = one.oracle.copy()
    try:
        after.apply(one.asked, _result_seen(one, mine))
    except (AssertionError, KeyError) as error:
        return [f"the call under way cannot have been done: {error!r}"]
    return differences(after.view(), mine)


def _result_seen(one, mine):
    """Give what must have been the result of the call under way, from what is there."""
    method, params = one.asked["method"], one.asked["params"]
    if method == "get_work":
        return _handed_out(one.oracle, params[1], mine), None
    if method == "lock":
        return mine[f"lock {params[2][0][1]}"]
    return {"session": None}


def _handed_out(oracle, options, mine):
    (name,) = options["work_spec_names"]
    was = {key: unit for (spec, key), unit in oracle.units.items() if spec == name}
    took = []
    for key, unit in was.items():
        seen = mine.get(f"unit {name}/{key}")
        if seen is not None and seen["status"] == PENDING and unit.status == AVAILABLE:
            took.append([name, key, seen["data"], {"attempt": seen["attempt"]}])
    free = sum(unit.status == AVAILABLE for unit in was.values())
    assert len(took) == min(options["max_jobs"], free), f"{len(took)} units were handed out"
    return sorted(took, key=lambda item: item[3]["attempt"])


def differences(expected, found):
    """Give what is other than expected, a line each; of what is found, only what it names."""
    lines = [f"{name} is lost" for name in expected.keys() - found.keys()]
    lines += [f"{name} is invented" for name in found.keys() - expected.keys()]
    for name in expected.keys() & found.keys():
        want = {part: value for part, value in expected[name].items() if part in found[name]}
        if want != found[name]:
            lines.append(f"{name} is {found[name]} and not {want}")
    return sorted(lines)


def _equal(what, first, second):
    if lines := differences(first, second):
        raise Wrong(f"{what} differs: {'; '.join(lines[:5])}")


# What comes next


def _check_next_token(house, found, known):
    """See that the next token is greater than every one that was given before."""
    top = max((one.oracle.top for one in known.values()), default=0)
    parts = [*(thing.get("attempt") or thing.get("token") or 0 for thing in found.values()), top]
    wire = house.client()
    granted = wire.call("lock", _PROBE, 60, [[_PROBE]], {"grant": True})
    if granted["token"] <= max(parts):
        raise Wrong(f"token {granted['token']} was given after {max(parts)}")
    wire.call("unlock", _PROBE, [[_PROBE]])


def _ask_again(house, known, *, leases):
    """Repeat each call under way in its session: it must have been done once then, not twice."""
    known = {number: one for number, one in known.items() if one.oracle.session is not None}
    for number, one in known.items():
        name = bytes.fromhex(one.oracle.session)
        wire = house.client(protocol=[1], session=name)
        if wire.greeting["session"] != name:
            raise Wrong(f"the session of client {number} is lost")
        if one.asked is not None:
            request = one.asked
            numbers = {"seq": request["seq"], "low": request["low"]}
            result = wire.call(request["method"], *request["params"], **numbers)
            one.oracle.apply(request, result)
            one.asked = None
    mine = {
        name: thing
        for name, thing in observed(house, leases=leases).items()
        if _owner(name) in known
    }
    check_clients(mine, known)


def _settle(house):
    while house.store.settle(1000):
        pass
