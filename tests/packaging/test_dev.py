"""The script that a reader runs first."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

import dev

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def commands(monkeypatch, tmp_path):
    """What dev.py would run, in an environment that it finds new and without stamps."""
    ran = []

    def run(*command):
        ran.append([str(word) for word in command])
        return 0

    monkeypatch.setattr(dev, "VENV", tmp_path)
    monkeypatch.setattr(dev, "environment_works", lambda: True)
    monkeypatch.setattr(dev, "run", run)
    return ran


def test_demo_installs_the_packages_once(commands):
    assert dev.main(["demo", "--limit", "5"]) == 0
    assert dev.main(["demo"]) == 0
    assert [command[1:3] for command in commands] == [
        ["-m", "pip"],
        [str(dev.DEMO / "run.py"), "--limit"],
        [str(dev.DEMO / "run.py")],
    ]


def test_test_gives_its_arguments_to_nox(commands):
    assert dev.main(["test", "-s", "tests", "--", "-k", "wire"]) == 0
    assert commands[-1][1:] == ["-m", "nox", "-s", "tests", "--", "-k", "wire"]


def test_changed_requirements_are_installed_again(commands):
    dev.install("thing", "one")
    dev.install("thing", "two")
    assert [command[-1] for command in commands] == ["one", "two"]


def test_failed_installation_is_tried_again(commands, monkeypatch):
    monkeypatch.setattr(dev, "run", lambda *_: 1)
    with pytest.raises(SystemExit, match="could not install what thing needs"):
        dev.install("thing", "one")
    assert not list(dev.VENV.iterdir())


def test_missing_venv_is_named_with_what_to_do(commands, monkeypatch):
    monkeypatch.setattr(dev, "environment_works", lambda: False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(SystemExit, match=r"no venv: install it .*-venv"):
        dev.make_environment()


@pytest.mark.parametrize("arguments", [[], ["tests"], ["--bogus"]])
def test_unknown_command_is_answered_with_the_known_ones(arguments, capsys):
    assert dev.main(arguments) == 2
    assert capsys.readouterr().err.startswith("dev.py: say which: demo, test, setup")


def test_old_python_is_told_so_in_one_line():
    """An older Python 3 has to get as far as the check: run here by one that claims to be older."""
    code = "import sys, runpy; sys.version_info = (3, 10, 0); runpy.run_path('dev.py')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("dev.py: needs Python 3.11 or newer, and ")
    assert done.stderr.count("\n") == 1
