"""Short plays with a real server, each of which a right server passes."""

import pytest

from tests.histories import lock_scenarios, work_scenarios  # noqa: F401 - they fill SCENARIOS
from tests.histories.scenario import SCENARIOS
from tests.histories.stages import play


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_right_server_passes(name, tmp_path, counts):
    play(SCENARIOS[name], tmp_path, counts=counts)
