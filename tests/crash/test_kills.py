"""SIGKILL before any call that changes the disk: nothing is lost, nothing is invented."""

import signal

import pytest

from tests.crash.points import chosen, told
from tests.crash.scene import Scene

pytestmark = [pytest.mark.crash, pytest.mark.timeout(3600)]

# How the writers differ: many records before rows are written, or rows with nearly each commit.
SHAPES = [
    {"rounds": 40, "backlog": 60, "checkpoint": 40},
    {"rounds": 40, "backlog": 5, "checkpoint": 200},
    {"rounds": 60, "backlog": 50_000, "checkpoint": 10},
]


@pytest.mark.parametrize("shape", SHAPES, ids=["mixed", "rows", "checkpoints"])
def test_a_kill_before_any_write_loses_nothing(
    shape, tmp_path, writers, counts, how_many, run_seed
):
    """Each run has a seed of its own, so that what is under way differs, too."""
    for number in range(how_many(1, 5)):
        seed = run_seed + number
        whole = Scene.new(tmp_path / f"whole{number}", seed, **shape)
        assert whole.play(writers) == (0, "")
        assert whole.check()
        for point in chosen(seed, whole.calls(), how_many(60, 200), "signal=SIGKILL"):
            kill(tmp_path / "killed", seed, shape, writers, point)
            counts["kills"] += 1


def kill(home, seed, shape, writers, point):
    """Kill a writer at a point, and start from its file."""
    with told(home, f"seed {seed}, {shape}, {point}"):
        scene = Scene.new(home, seed, **shape)
        status, errors = scene.play(writers, point)
        assert status == -signal.SIGKILL, f"it was not killed: {errors}"
        scene.check()
