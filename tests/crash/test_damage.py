"""Bits that flip, and files that are cut short: refused, or right, or without the last commit."""

import random
import shutil
import signal

import pytest
from attrs import frozen

from coordinate_protocol.errors import ProtocolError
from coordinate_server.model.errors import ModelError
from coordinate_server.store import StoreError
from tests.crash.diary import read_diary
from tests.crash.scene import Scene
from tests.crash.tracing import Injection
from tests.crash.verdict import Opened, Wrong, check_clients, check_file, observed
from tests.store.log_files import Log

pytestmark = [pytest.mark.crash, pytest.mark.timeout(3600)]

FILES = ("data", "data-wal")
# Nearly all is in the log, or nearly all is in rows.
IN_LOG = {"backlog": 20, "checkpoint": 1000}
IN_ROWS = {"backlog": 5, "checkpoint": 10}
REFUSALS = (StoreError, ModelError, ProtocolError)


def killed(home, seed, writers, **shape):
    """A scene whose writer was killed, before it has stopped once: with a log."""
    whole = Scene.new(home / "whole", seed, **shape)
    whole.play(writers)
    point = Injection("fdatasync", int(whole.calls()["fdatasync"] * 0.45), "signal=SIGKILL")
    scene = Scene.new(home / "killed", seed, **shape)
    assert scene.play(writers, point)[0] == -signal.SIGKILL
    return scene


@frozen
class Damage:
    """What was done to a file.

    Arguments:
        name: which file.
        at: the byte from which it was cut off, or in which a bit flipped.
        bit: that bit; None for a cut.
    """

    name: str
    at: int
    bit: int | None

    def do(self, home):
        """Do it to a file in a directory."""
        content = bytearray((home / self.name).read_bytes())
        if self.bit is None:
            del content[self.at :]
        else:
            content[self.at] ^= 1 << self.bit
        (home / self.name).write_bytes(content)


def chosen(scene, name, chance):
    """Choose a damage; of the log, in what was written to it."""
    used = Log(scene.data).commits()[-1][1] if name.endswith("-wal") else None
    at = chance.randrange(used or (scene.home / name).stat().st_size)
    return Damage(name, at, None if chance.random() < 0.1 else chance.randrange(8))


def damaged_copy(scene, home, damage):
    """Copy the files, and damage one."""
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir()
    for file in FILES:
        if (scene.home / file).exists():
            shutil.copy(scene.home / file, home / file)
    damage.do(home)


def outcome(home, scene):
    """Give what a start from damaged files comes to: refused, right, earlier or wrong."""
    try:
        check_file(home / "data", scene.known())
    except REFUSALS:
        return "refused"
    except Wrong:
        return "earlier" if is_earlier(home, scene) else "wrong"
    return "right"


def is_earlier(home, scene):
    """Whether what there is now is what there was after an earlier answer."""
    lines = (scene.home / "diary").read_text().splitlines(keepends=True)
    with Opened(home / "data") as house:
        found = observed(house)
    return any(fits(found, read_diary("".join(lines[:end]))) for end in range(len(lines) + 1))


def fits(found, known):
    """Whether that is what the clients know."""
    try:
        check_clients(found, known)
    except Wrong:
        return False
    return True


def outcomes(name, scene, home, seed, number):
    """Damage a file so often; give with each outcome what was done."""
    chance = random.Random(seed)
    found: dict[str, list[Damage]] = {}
    for _ in range(number):
        damage = chosen(scene, name, chance)
        damaged_copy(scene, home, damage)
        found.setdefault(outcome(home, scene), []).append(damage)
    return found


def may_be_earlier(damage, scene):
    """Whether a damage of the log looks like a cut of the power, or like no log at all."""
    return damage.at >= Log(scene.data).tail() if damage.bit is not None else not damage.at


def test_damage_of_the_log_is_never_silently_wrong(tmp_path, writers, counts, how_many, run_seed):
    """Only the last commit may be missing, which nobody can tell from one that was torn."""
    for number in range(how_many(1, 5)):
        seed = run_seed + number
        scene = killed(tmp_path / str(number), seed, writers, **IN_LOG)
        found = outcomes("data-wal", scene, tmp_path / "damaged", seed, how_many(50, 100))
        counts["flips"] += sum(map(len, found.values()))
        assert found.keys() <= {"refused", "right", "earlier"}, (seed, found["wrong"])
        wrong = [one for one in found.get("earlier", ()) if not may_be_earlier(one, scene)]
        assert not wrong, (seed, wrong)


def test_damage_of_the_file_is_never_silently_wrong(tmp_path, writers, counts, how_many, run_seed):
    """What is not as it was written is refused."""
    for number in range(how_many(1, 5)):
        seed = run_seed + number
        scene = killed(tmp_path / str(number), seed, writers, **IN_ROWS)
        found = outcomes("data", scene, tmp_path / "damaged", seed, how_many(50, 100))
        counts["flips"] += sum(map(len, found.values()))
        assert found.keys() <= {"refused", "right"}, (seed, found)
