"""What every test runs under: one printed seed, and hypothesis without a clock."""

import os
import random
import signal

import pytest
from hypothesis import settings

# No deadline: a busy machine is slow, not wrong. The blob replays a failure elsewhere.
settings.register_profile("ci", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("ci")

RUN_SEED = pytest.StashKey[int]()


def pytest_configure(config):
    """Take the seed from hypothesis's option or choose one; no setting of a person's shell stays.

    Hypothesis itself is told a seed only by the option: with one, it does not replay its examples.
    """
    given = config.option.hypothesis_seed
    config.stash[RUN_SEED] = random.randrange(2**32) if given is None else int(given)
    # Under nohup, or in the background of a script, what is started here would ignore them, too.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in [name for name in os.environ if name.startswith("COORDINATE_")]:
        # COORDINATE_TEST_* are for the tests, whose modules are read after this.
        if not name.startswith("COORDINATE_TEST_"):
            del os.environ[name]


def pytest_report_header(config):
    """Say how to repeat the run."""
    return f"random seed: repeat with --hypothesis-seed={config.stash[RUN_SEED]}"


@pytest.fixture
def seed(request):
    """The run's seed, a number, for a test that makes its own random.Random."""
    return request.config.stash[RUN_SEED]
