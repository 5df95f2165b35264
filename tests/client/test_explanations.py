"""Reasons, attempts, and the options that came with them, over a scripted server."""

import pytest

from coordinate_client import (
    NoSuchWorkSpecError,
    NoSuchWorkUnitError,
    RpcError,
    TaskMaster,
    Unsupported,
)
from tests.client.scripted import HELLO, ScriptedServer

REASONS = [{"code": "paused", "text": "'s' is paused"}]
OF_A_UNIT = ["get_work_unit_attempts", "explain_work_unit"]


def master_of(answers, **options):
    """A TaskMaster and its server."""
    server = ScriptedServer(answers, **options)
    return server.client(TaskMaster), server


def test_explanations_are_what_the_server_tells():
    """Of a unit, a spec, a worker; and the attempts of a unit."""
    unit = {"status": 1, "text": "waits", "reasons": REASONS}
    spec = {"text": "waits", "counts": {"available": 1}, "reasons": REASONS}
    worker: dict = {"text": "nothing", "would_get": None, "holds": [], "specs": []}
    attempts = [{"attempt": 7, "worker_id": "w", "began": 1.5, "outcome": "pending"}]
    master, server = master_of(
        {
            "explain_work_unit": (unit, None),
            "explain_work_spec": (spec, None),
            "explain_worker": (worker, None),
            "get_work_unit_attempts": (attempts, None),
        }
    )
    assert master.explain_work_unit("s", b"\xff") == unit
    assert server.calls[-1][1] == ["s", b"\xff"]
    assert master.explain_work_spec("s") == spec
    assert master.explain_worker("w", 4, ["s"], "python2") == worker
    able = {"available_gb": 4, "work_spec_names": ["s"], "runtimes": ["python2"]}
    assert server.calls[-1][1] == ["w", able]
    assert master.explain_worker("w") == worker
    assert server.calls[-1][1] == ["w", {}]
    assert master.get_work_unit_attempts("s", "k") == attempts


@pytest.mark.parametrize("method", OF_A_UNIT)
def test_unknown_spec_and_unit_are_errors(method):
    """Each by its own name."""
    master, server = master_of({method: (None, "no such work_spec 's'")})
    with pytest.raises(NoSuchWorkSpecError, match="no such work spec 's'"):
        getattr(master, method)("s", "k")
    server.answers[method] = (None, "no such work unit key='k'")
    with pytest.raises(NoSuchWorkUnitError, match="no such work unit 'k' in 's'"):
        getattr(master, method)("s", "k")


def test_unknown_spec_is_not_explained():
    """It is an error, as with the other methods that give a map."""
    master, _ = master_of({"explain_work_spec": (None, "no such work_spec 's'")})
    with pytest.raises(NoSuchWorkSpecError, match="no such work spec 's'"):
        master.explain_work_spec("s")


@pytest.mark.parametrize("method", OF_A_UNIT)
def test_server_without_the_method_is_unsupported(method):
    """One that said hello and is older, or another's."""
    master, _ = master_of({method: RpcError(method, "No such method")})
    with pytest.raises(Unsupported):
        getattr(master, method)("s", "k")


def test_memory_that_is_no_number_is_refused():
    """As by get_work."""
    master, server = master_of({})
    with pytest.raises(ValueError, match="available_gb"):
        master.explain_worker("w", available_gb="4")
    assert server.calls == []


def test_runtimes_are_asked_for():
    """One or several; a server that does not know them is not asked."""
    nothing = ((None, None, None), None)
    master, server = master_of({"get_work": nothing})
    assert master.get_work("w", 4, 60, ["s"], 1, ["python2", "any"]) is None
    assert server.calls[-1][1][1]["runtimes"] == ["python2", "any"]
    assert master.get_work("w", runtimes="python2") is None
    assert server.calls[-1][1][1]["runtimes"] == ["python2"]
    assert master.get_work("w") is None
    assert "runtimes" not in server.calls[-1][1][1]
    master, server = master_of({"get_work": nothing}, hello=HELLO | {"capabilities": ["delay"]})
    with pytest.raises(Unsupported, match="'runtimes'"):
        master.get_work("w", runtimes=["python2"])
    assert master.get_work("w") is None


def test_delays_go_with_retries():
    """By a person, and by the worker that has the unit; 0 is a delay, too."""
    answers = {
        "update_work_unit": (True, None),
        "get_work_units": ([("k", {})], None),
        "get_work": (("s", "k", {}), None),
    }
    master, server = master_of(answers)
    assert master.retry("s", "k", delay=5)
    assert server.calls[-1][1][2] == {"lease_time": 0, "status": 1, "delay": 5}
    assert master.update_work_unit("s", "k", status=5, delay=0)
    assert server.calls[-1][1][2] == {"status": 5, "delay": 0}
    unit = master.get_work("w")
    assert unit.retry(2.5)
    assert server.calls[-1][1][2] == {"lease_time": -1, "delay": 2.5, "worker_id": "w"}
    assert unit.retry()
    assert server.calls[-1][1][2] == {"lease_time": -1, "worker_id": "w"}
    assert unit.fail(delay=0)
    assert server.calls[-1][1][2] == {"status": 5, "delay": 0, "worker_id": "w"}


def test_status_tells_all_that_the_server_does():
    """What a unit needs, how often it failed, and why, come as they are."""
    needs = [{"work_spec_name": "s", "work_unit_key": "a", "hard": True, "status": 3}]
    told: dict = {"status": 2, "expiration": None, "depends_on": needs, "depends_on_count": 1}
    told |= {"blocked_by": 1, "failures": 2, "lost_leases": 1, "output_error": "o", "reason": "r"}
    master, _ = master_of({"get_work_unit_status": ([told], None)})
    assert master.get_work_unit_status("s", "b") == told
