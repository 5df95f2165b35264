"""Errors of the disk: what is acknowledged is there, and the server stops with one clear line."""

import random

import pytest
from attrs import evolve

from tests.crash.points import chosen, told
from tests.crash.scene import Scene
from tests.crash.test_kills import SHAPES
from tests.crash.writer import STOPPED

pytestmark = [pytest.mark.crash, pytest.mark.timeout(3600)]


@pytest.mark.parametrize("error", ["EIO", "ENOSPC"])
def test_an_error_of_any_write_loses_nothing(error, tmp_path, writers, counts, how_many, run_seed):
    """One call fails, or all from there on; a full disk may also be told to those who ask."""
    for number in range(how_many(1, 4)):
        seed = run_seed + number
        shape = SHAPES[number % len(SHAPES)]
        whole = Scene.new(tmp_path / f"whole{number}", seed, **shape)
        assert whole.play(writers) == (0, "")
        chance = random.Random(seed)
        for point in chosen(seed, whole.calls(), how_many(30, 125), f"error={error}"):
            fail(
                tmp_path / "failed",
                seed,
                shape,
                writers,
                evolve(point, lasts=chance.random() < 0.5),
            )
            counts["errors"] += 1


def fail(home, seed, shape, writers, point):
    """Let a call fail, and start from the file."""
    with told(home, f"seed {seed}, {shape}, {point}"):
        scene = Scene.new(home, seed, **shape)
        status, errors = scene.play(writers, point)
        # What no answer rests on may fail and be tried again: then it goes on to its end.
        assert status in {0, STOPPED}, f"exit status {status}: {errors}"
        lines = errors.splitlines()
        assert len(lines) == (status == STOPPED), f"not one line: {errors}"
        assert all(str(scene.data) in line for line in lines), errors
        scene.check()
