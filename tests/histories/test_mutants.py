"""Servers with seeded bugs: each is found out, by the scenario that is the quickest to do so."""

import subprocess
import sys

import pytest

from tests.histories import lock_scenarios, work_scenarios  # noqa: F401 - they fill SCENARIOS
from tests.histories.mutants import MUTANTS, PACKAGE
from tests.histories.scenario import SCENARIOS
from tests.histories.stages import play
from tests.histories.verdicts import Violation
from tests.server.running import environment


def names(mutants):
    return [mutant.name for mutant in mutants]


def test_there_are_twenty_seeded_bugs_at_least():
    assert len(set(names(MUTANTS))) == len(MUTANTS) >= 20


@pytest.mark.parametrize("mutant", MUTANTS, ids=names(MUTANTS))
def test_the_bug_can_be_put_in(mutant):
    compile(mutant.applied(), mutant.file, "exec")
    assert mutant.scenario in SCENARIOS


def test_what_runs_is_the_copy(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(MUTANTS[0].copy_to(tmp_path)))
    say = f"import {PACKAGE.name}.daemon as it; print(it.__file__)"
    command = [sys.executable, "-c", say]
    # Coverage would count the copy as sources of ours that nobody tests.
    env = {k: v for k, v in environment(tmp_path).items() if not k.startswith("COVERAGE_")}
    said = subprocess.run(command, env=env, capture_output=True, check=True)
    assert said.stdout.decode().startswith(str(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS, ids=names(MUTANTS))
def test_the_bug_is_caught(mutant, tmp_path, caught):
    package = mutant.copy_to(tmp_path / "package")
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(AssertionError) as raised:
        play(SCENARIOS[mutant.scenario], home, package)
    caught.append("history" if isinstance(raised.value, Violation) else "play")
    first = str(raised.value).partition("\n")[0]
    print(f"\n{mutant.name}: {first}")  # noqa: T201 - how it was seen
