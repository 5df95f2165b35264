"""The scripts of bench/ import their neighbours, so their folder must be where Python looks."""

import importlib
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch):
    """Give a module of the benchmarks by its name."""
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module
