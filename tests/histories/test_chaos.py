"""Rounds of chaos: client processes and a real server, what befell them, and what they saw."""

import os
import random

import pytest

from tests.histories.chaos import Round, make_lasting_plan, make_plan
from tests.histories.verdicts import check

# A short form by itself; as many as one likes on demand.
ROUNDS = int(os.environ.get("COORDINATE_TEST_HISTORIES", "5"))

pytestmark = pytest.mark.slow


def run(plan, home, counts):
    """Run a plan and check what was recorded."""
    print(plan)  # noqa: T201 - what a failure is seen with
    chaos = Round(home, plan)
    check(chaos.run(), counts)
    assert not chaos.errors


@pytest.mark.parametrize("number", range(ROUNDS))
def test_clients_and_servers_that_are_stopped_and_killed(number, seed, tmp_path, counts):
    run(make_plan(random.Random(f"{seed} {number}").randrange(2**32)), tmp_path, counts)


@pytest.mark.parametrize("number", range((ROUNDS + 3) // 4))
def test_a_restart_takes_nothing_from_anybody(number, seed, tmp_path, counts):
    run(make_lasting_plan(random.Random(f"l {seed} {number}").randrange(2**32)), tmp_path, counts)
