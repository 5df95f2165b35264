"""Commands on units that need others: depends, work_unit, retry, clear."""

import json
import logging

import pytest

from coordinate_client.cli.said import said
from tests.cli.fakes import FakeTaskMaster, run, say

NEEDED = (
    "work unit 'u1' of 'alpha' is needed by 'u2' of 'beta' (1 in all); cascade deletes them too"
)
CULPRIT = "needs 'u1' of 'beta', which failed"


def test_depends_asks_for_all_edges_at_once():
    """Hard ones, unless they are said to be soft."""
    master = FakeTaskMaster()
    arguments = ["depends", "alpha", "u1", "--on", "beta", "u2", "--on", "alpha", "u3"]
    result = run(*arguments, master=master)
    assert result.stdout == "'u1' of 'alpha' needs 'u2' of 'beta', 'u3' of 'alpha'\n"
    told = json.loads(run(*arguments, "--soft", "--json", master=master).stdout)
    assert told == {
        "work_spec": "alpha",
        "work_unit": "u1",
        "needs": [["beta", "u2"], ["alpha", "u3"]],
        "hard": False,
    }
    assert master.noted == [
        (
            "add_dependencies",
            [(("alpha", "u1"), ("beta", "u2"), hard), (("alpha", "u1"), ("alpha", "u3"), hard)],
        )
        for hard in (True, False)
    ]


def test_depends_tells_why_the_server_refused():
    """A cycle is named in the server's own words."""
    master = FakeTaskMaster()
    master.refusal = "cycle of dependencies: 'u1' of 'alpha' -> 'u1' of 'alpha'"
    result = run("depends", "alpha", "u1", "--on", "alpha", "u1", master=master)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"coordinate: {master.refusal}\n"


@pytest.mark.parametrize("arguments", [[], ["--on", "alpha"], ["--on", "alpha", "u2", "more"]])
def test_depends_needs_a_spec_and_a_unit_to_depend_on(arguments):
    """Anything else is wrong usage."""
    assert run("depends", "alpha", "u1", *arguments).exit_code == 64


def test_work_unit_tells_what_it_needs_and_how_it_failed():
    """Edges with the status of the other unit; counts and reasons only where there are any."""
    master = FakeTaskMaster()
    needs = [
        {"work_spec_name": "beta", "work_unit_key": "x", "hard": True, "status": 3},
        {"work_spec_name": "beta", "work_unit_key": b"\xff", "hard": False, "status": 5},
    ]
    master.statuses["u3"] = {
        "status": 5,
        "expiration": None,
        "depends_on": needs,
        "depends_on_count": 1002,
        "failures": 2,
        "lost_leases": 1,
        "reason": CULPRIT,
        "output_error": "no such work_spec 'gamma'",
    }
    assert run("work_unit", "-W", "alpha", "u3", master=master).stdout.splitlines() == [
        "u3 (5)",
        "  Status: failed",
        "  Needs: 'x' of 'beta' (pending)",
        r"  Needs: '\\xff' of 'beta' (failed, may fail)",
        "  Needs: 1000 more",
        "  Failures: 2",
        "  Lost leases: 1",
        f"  Reason: {CULPRIT}",
        "  Output error: no such work_spec 'gamma'",
    ]
    shown = run("work_unit", "-W", "alpha", "u1", master=master).stdout
    assert not [word for word in ("Needs", "Failures", "Lost", "Reason") if word in shown]


def test_clear_tells_who_needs_a_unit():
    """Nothing was removed then: that is an error, and the way out is in it."""
    master = FakeTaskMaster()
    master.refusal = NEEDED
    result = run("clear", "-W", "alpha", "u1", master=master)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"coordinate: {NEEDED}\n"
    result = run("clear", "-W", "alpha", "u1", "--cascade", master=master)
    assert (result.exit_code, result.stdout) == (0, "Removed 7 work units.\n")


def test_retry_waits_as_long_as_it_is_told():
    """The delay goes to the server with each unit."""
    master = FakeTaskMaster()
    run("retry", "-W", "alpha", "u2", "--delay", "30", master=master)
    run("retry", "-W", "alpha", "u3", master=master)
    assert master.noted == [("retry", "alpha", ("u2",), 30.0), ("retry", "alpha", ("u3",), None)]
    assert run("retry", "-W", "alpha", "u2", "--delay", "-1").exit_code == 64


def test_retry_tells_why_a_unit_cannot_be():
    """A unit is not unknown because it needs one that failed."""
    master = FakeTaskMaster()
    master.refused = {"u2": CULPRIT, "nope": "no such work unit key='nope'"}
    result = run("retry", "-W", "alpha", "u2", "u3", master=master)
    assert (result.exit_code, result.stdout) == (1, "Retried 1 work unit.\n")
    assert result.stderr == f"coordinate: work unit 'u2' cannot be retried: {CULPRIT}\n"
    result = run("retry", "-W", "alpha", "nope", "--json", master=master)
    assert json.loads(result.stdout) == {"retried": 0, "unknown": ["nope"], "refused": {}}
    assert result.stderr == "coordinate: no such work unit 'nope'\n"


def test_retry_all_passes_over_those_that_wait_now():
    """One that was refused because of another waits when that has been retried as well."""
    master = FakeTaskMaster()
    master.refused = {"u2": CULPRIT}
    master.statuses["u2"] = {"status": 2, "expiration": None}
    result = run("retry", "-W", "alpha", "-a", master=master)
    assert (result.exit_code, result.stdout) == (0, "Retried 1 work unit.\n")


def test_retry_all_tells_of_those_that_stay_failed():
    """How many, and why the first of them."""
    master = FakeTaskMaster()
    master.refused = {"u2": CULPRIT, "u3": CULPRIT}
    master.statuses["u3"] = {"status": 5, "expiration": None}
    result = run("retry", "-W", "alpha", "-a", "--json", master=master)
    told = {"retried": 0, "unknown": [], "refused": {"u2": CULPRIT, "u3": CULPRIT}}
    assert json.loads(result.stdout) == told
    assert result.exit_code == 1
    assert f"work unit 'u2' cannot be retried (2 in all): {CULPRIT}\n" in result.stderr


def test_only_the_servers_words_are_heard():
    """And only while somebody listens; the logger is left as it was."""
    logger = logging.getLogger("coordinate_client")
    before = (logger.level, list(logger.handlers))
    with said() as messages:
        say("one")
        logger.info("the client's own words")
        say("two")
    say("three")
    assert messages == ["one", "two"]
    assert (logger.level, logger.handlers) == before
