"""What the crash suite shares: how much of it is run, the writers, and the count at its end."""

import os
from collections import Counter

import pytest

from tests.conftest import RUN_SEED
from tests.crash.tracing import Writers, why_not

FULL = os.environ.get("COORDINATE_TEST_CRASH") == "full"
COUNTS = pytest.StashKey[Counter]()
KINDS = {
    "kills": "kill points (writer)",
    "daemon kills": "kill points (daemon)",
    "errors": "errors injected",
    "power cuts": "power cuts",
    "flips": "bit flips and truncations",
}


@pytest.fixture(scope="session")
def counts(request):
    """What was tried, for the line at the end."""
    return request.config.stash.setdefault(COUNTS, Counter())


@pytest.fixture(scope="session")
def how_many():
    """Give a number for the short form, or for the whole."""
    return lambda short, full: full if FULL else short


@pytest.fixture(scope="session")
def strace():
    """Where nothing can be traced, say why."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture
def writers(strace):
    """A process that forks writers."""
    writers = Writers()
    yield writers
    writers.close()


@pytest.fixture
def run_seed(request):
    """The seed of the run, which the header shows."""
    return request.config.stash[RUN_SEED]


def pytest_terminal_summary(terminalreporter, config):
    """Say what was tried."""
    counts = config.stash.get(COUNTS, Counter())
    if counts:
        tried = ", ".join(f"{counts[kind]:,} {words}" for kind, words in KINDS.items())
        failed = len(terminalreporter.stats.get("failed", []))
        end = f"{failed} TESTS FAILED" if failed else "nothing lost, nothing invented"
        terminalreporter.write_line(f"crash suite: {tried}: {end}")
