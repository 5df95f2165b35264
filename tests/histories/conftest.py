"""What was checked by these tests, told at the end of the run."""

import pytest

from tests.histories.verdicts import Counts

COUNTS = pytest.StashKey[Counts]()
CAUGHT = pytest.StashKey[list[str]]()


def pytest_configure(config):
    config.stash[COUNTS], config.stash[CAUGHT] = Counts(), []


@pytest.fixture
def counts(request):
    """What all histories of the run are counted in."""
    return request.config.stash[COUNTS]


@pytest.fixture
def caught(request):
    """How each seeded bug was caught."""
    return request.config.stash[CAUGHT]


def pytest_terminal_summary(terminalreporter, config):
    counts, caught = config.stash[COUNTS], config.stash[CAUGHT]
    if counts.histories:
        terminalreporter.write_line(f"checked: {counts}")
    if caught:
        by_history = sum(way == "history" for way in caught)
        terminalreporter.write_line(
            f"seeded bugs caught: {len(caught)}, {by_history} of them by the histories alone"
        )
