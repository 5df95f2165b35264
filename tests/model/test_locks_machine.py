"""The locks against an oracle, in all modes, over time, with units, waits and restarts."""

import os

import pytest
from hypothesis import settings

from tests.model.lock_machine import LockMachine

# A short form by itself; thousands on demand.
LONG = int(os.environ.get("COORDINATE_TEST_EXAMPLES", "150"))

TestLockMachine = LockMachine.TestCase
TestLockMachine.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


class LongLockMachine(LockMachine):
    """The same, for longer."""


TestLongLockMachine = pytest.mark.slow(LongLockMachine.TestCase)
TestLongLockMachine.settings = settings(max_examples=LONG, stateful_step_count=60, deadline=None)
