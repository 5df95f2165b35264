"""TaskMaster and WorkUnit over a scripted server."""

from typing import Any

import pytest

from coordinate_client import (
    LostLease,
    NoSuchWorkSpecError,
    ProgrammerError,
    TaskMaster,
)
from coordinate_client.specs import application_config
from coordinate_client.units import slices
from tests.client.scripted import ScriptedServer, Turn

SPEC = {"name": "s", "min_gb": 1, "module": "operator", "run_function": "attrgetter"}
NOT_OWNER = (False, "work unit b'k' is not leased to 'w' any more, it is that of 'v'")


def master_of(answers):
    """A TaskMaster and its server."""
    server = ScriptedServer(answers)
    return server.client(TaskMaster), server


def leased(answers, data=None):
    """A unit that was handed out, and its server."""
    given = {"n": 1} if data is None else data
    master, server = master_of(answers | {"get_work": (("s", "k", given), None)})
    return master.get_work("w"), server


def test_units_go_in_slices():
    """A thousand in a message, and no more than a mebibyte; one message at least."""
    master, server = master_of({"add_work_units": (True, None)})
    assert master.add_work_units("s", ((str(number), {}) for number in range(2500)))
    assert [len(params[1]) for _, params in server.calls[1:]] == [1000, 1000, 500]
    assert master.add_work_units("s", {})
    assert server.calls[-1] == ("add_work_units", ["s", []])
    big = [(str(number), b"x" * 400_000) for number in range(5)]
    assert [len(part) for part in slices(big)] == [2, 2, 1]


def test_adding_stops_where_there_is_no_spec():
    """The first refusal is the result."""
    master, server = master_of({"add_work_units": (False, "no such work_spec 's'")})
    assert master.add_work_units("s", [(str(number), {}) for number in range(2500)]) is False
    assert len(server.calls) == 2


@pytest.mark.parametrize(
    "unit", ["key", ("k",), (5, {}), ("k", object()), ("k", {}, 3), ("k", {}, {}, 1, 2)]
)
def test_item_that_is_no_unit_is_refused(unit):
    """Before anything of its slice is sent."""
    master, server = master_of({})
    with pytest.raises(ProgrammerError):
        master.add_work_units("s", [unit])
    assert server.calls == []


def test_status_counts_by_name():
    """Delayed units are in the sum; an unknown spec is an error."""
    master, _ = master_of({"count_work_units": ({1: 4, 4: 2, 6: 1}, None)})
    assert master.status("s") == {
        "num_available": 4,
        "num_pending": 0,
        "num_blocked": 0,
        "num_finished": 2,
        "num_failed": 0,
        "num_tasks": 7,
    }
    master, _ = master_of({"count_work_units": (None, "no such work_spec 's'")})
    with pytest.raises(NoSuchWorkSpecError, match="'s'"):
        master.status("s")


def test_listing_starts_by_position():
    """The wire's start is a key, so what is skipped is asked for too."""
    units = [(str(number), None) for number in range(5)]
    master, server = master_of({"get_work_units": (units, None)})
    assert list(master.list_work_units("s", 2, 3)) == ["2", "3", "4"]
    assert server.calls[-1][1] == ["s", {"state": (1, 3), "limit": 5}]
    master.list_finished_work_units("s")
    assert server.calls[-1][1] == ["s", {"state": (4,), "limit": 10_000}]


def test_listing_of_an_unknown_spec_is_an_error():
    """It cannot be told apart from an empty one otherwise."""
    master, _ = master_of({"get_work_units": (None, "no such work_spec 's'")})
    with pytest.raises(NoSuchWorkSpecError):
        master.list_work_units("s")
    assert master.get_work_units("s") is None


def test_specs_are_paged_to_the_end():
    """Each page starts where the one before said."""
    pages = [([SPEC | {"name": name}], following) for name, following in [("a", "b"), ("b", None)]]
    master, server = master_of({"list_work_specs": [Turn(page) for page in pages]})
    assert [spec["name"] for spec in master.iter_work_specs()] == ["a", "b"]
    assert server.calls[-1] == ("list_work_specs", [{"start": "b"}])


def test_retry_takes_the_traceback_out():
    """Failed units become available; data without one is not sent."""
    units = [("a", {"traceback": "t", "n": 1}), ("b", {"n": 2})]
    master, server = master_of({"get_work_units": (units, None), "update_work_unit": (True, None)})
    assert master.retry("s", "a", "b")
    sent = [params[2] for method, params in server.calls if method == "update_work_unit"]
    assert sent == [
        {"lease_time": 0, "status": 1, "data": {"n": 1}},
        {"lease_time": 0, "status": 1},
    ]
    assert master.retry("s")


def test_bundle_is_a_spec_and_its_units():
    """In that order; nice goes into the spec."""
    master, server = master_of({"set_work_spec": (True, None), "add_work_units": (True, None)})
    master.update_bundle(SPEC, {"k": {}}, nice=5)
    assert server.calls[1:] == [
        ("set_work_spec", [SPEC | {"nice": 5}]),
        ("add_work_units", ["s", [("k", {})]]),
    ]


@pytest.mark.parametrize(
    "spec",
    [5, {}, {"name": "s"}, {"min_gb": 1}, {"name": "s", "min_gb": "1"}, {"name": "", "min_gb": 1}],
)
def test_invalid_spec_is_not_sent(spec):
    """A spec needs a name and a number as min_gb."""
    master, server = master_of({})
    with pytest.raises(ProgrammerError):
        master.set_work_spec(spec)
    assert server.calls == []


def test_flow_names_join_and_configs_are_overlaid():
    """Nested flows join names with a dot; None in a spec's own config takes a key away."""
    master, server = master_of({"set_work_spec": (True, None)})
    flow: dict[str, dict[str, Any]] = {
        "a": {"min_gb": 1, "then": "g.b", "config": {"x": {"p": 2}, "y": None}},
        "g": {"b": {"min_gb": 2}},
    }
    master.add_flow(flow, {"x": {"p": 1, "q": 1}, "y": 1})
    sent = {params[0]["name"]: params[0] for _, params in server.calls[1:]}
    assert sent["a"]["config"] == {"x": {"p": 2, "q": 1}}
    assert sent["g.b"] == {"min_gb": 2, "name": "g.b", "config": {"x": {"p": 1, "q": 1}, "y": 1}}
    assert flow["a"].keys() == {"min_gb", "then", "config"}


@pytest.mark.parametrize(
    "flow", [{"a": {"min_gb": 1, "then": "z"}}, {"a": 5}, {"a": {"b": None}}, {"a": {"b": {}}}, []]
)
def test_wrong_flow_sends_nothing(flow):
    """All is checked before the first spec goes."""
    master, server = master_of({})
    with pytest.raises(ProgrammerError):
        master.add_flow(flow, {})
    assert server.calls == []


def test_retry_of_an_unknown_unit_is_no_warning(caplog):
    """The answer says it; without any logging set up, standard error stays clean."""
    master, _ = master_of(
        {"get_work_units": ([("a", None)], None), "update_work_unit": (False, "no such unit")}
    )
    with caplog.at_level("WARNING"):
        assert not master.retry("s", "a")
    assert caplog.records == []


def test_misspelt_flow_says_what_a_spec_needs():
    """Without min_gb a map is read as a further flow; the message says why."""
    master, _ = master_of({})
    with pytest.raises(ProgrammerError, match=r"'b\.min_bg' is 1: .* \(a map with 'min_gb'\)"):
        master.add_flow({"b": {"min_bg": 1}}, {})


def test_application_configuration_is_empty_without_yakonfig(monkeypatch):
    """A flow then gets what it says itself."""
    monkeypatch.delitem(__import__("sys").modules, "yakonfig", raising=False)
    assert application_config() == {}


def test_unit_sends_its_worker_and_changed_data_only():
    """Data goes along when it changed since it was last sent."""
    unit, server = leased({"update_work_unit": (True, None)})
    assert unit.update(60)
    unit.data["n"] = 2
    assert unit.update()
    assert unit.finish()
    sent = [params[2] for method, params in server.calls if method == "update_work_unit"]
    assert sent == [
        {"lease_time": 60, "worker_id": "w"},
        {"lease_time": 900, "data": {"n": 2}, "worker_id": "w"},
        {"status": 4, "worker_id": "w"},
    ]
    assert unit.expires is not None


def test_lost_lease_is_raised():
    """By each of the calls that need the lease; a unit that is gone is False."""
    unit, _ = leased({"update_work_unit": NOT_OWNER})
    for call in (unit.update, unit.finish, unit.fail):
        with pytest.raises(LostLease, match="'v'"):
            call()
    unit, _ = leased({"update_work_unit": (False, "no such work unit key='k'")})
    assert unit.update() is False


def test_failure_keeps_its_traceback():
    """In the data, as text."""
    unit, server = leased({"update_work_unit": (True, None)})
    with pytest.raises(ValueError) as caught:
        raise ValueError("broken")
    assert unit.fail(caught.value)
    options = server.calls[-1][1][2]
    assert options["status"] == 5
    assert "ValueError: broken" in options["data"]["traceback"]
    unit.fail("why")
    assert unit.data["traceback"] == "why"


def test_run_calls_the_function_and_finishes():
    """With the run_params by position; the spec is fetched once."""
    spec = SPEC | {"module": "builtins", "run_function": "getattr", "run_params": ["key"]}
    unit, server = leased({"update_work_unit": (True, None), "get_work_spec": spec})
    assert unit.run() == "k"
    assert unit.spec == spec
    assert [method for method, _ in server.calls].count("get_work_spec") == 1
    assert server.calls[-1][1][2]["status"] == 4


@pytest.mark.parametrize(
    "spec,error",
    [
        ({"name": "s"}, ProgrammerError),
        (SPEC | {"module": "no.such"}, ImportError),
        (SPEC | {"run_function": "nope"}, AttributeError),
        (SPEC | {"run_params": 5}, ProgrammerError),
        (SPEC | {"run_params": [1]}, TypeError),
        (SPEC | {"module": "asyncio", "run_function": "sleep"}, ProgrammerError),
        (None, NoSuchWorkSpecError),
    ],
)
def test_run_lets_errors_out(spec, error):
    """And leaves the unit to its worker."""
    unit, server = leased({"get_work_spec": spec})
    with pytest.raises(error):
        unit.run()
    assert server.calls[-1][0] == "get_work_spec"


@pytest.mark.parametrize(
    "options,error",
    [
        ({"lease_time": 86401}, ProgrammerError),
        ({"lease_time": "1"}, ProgrammerError),
        ({"available_gb": "4"}, ValueError),
        ({"max_jobs": 1.5}, ValueError),
    ],
)
def test_impossible_request_for_work_is_refused(options, error):
    """Before it is sent."""
    master, server = master_of({})
    with pytest.raises(error):
        master.get_work("w", **options)
    assert server.calls == []


def test_registration_tells_who_the_worker_is():
    """Host and process; the mode is RUN unless said otherwise."""
    master, server = master_of({"worker_heartbeat": (True, None)})
    assert master.worker_register("w", parent="p")
    worker, mode, lifetime, told, parent = server.calls[-1][1]
    assert (worker, mode, lifetime, parent) == ("w", "RUN", 6000, "p")
    assert {"host", "pid", "version", "worker_id"} <= told.keys()
    assert master.set_mode("IDLE") is None
    assert master.get_mode() == "RUN"
