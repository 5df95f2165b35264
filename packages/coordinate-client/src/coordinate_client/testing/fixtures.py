"""Fixtures for pytest: `pytest_plugins = ["coordinate_client.testing.fixtures"]` brings them in."""

import pytest

from coordinate_client import TaskMaster
from coordinate_client.testing.coordinate import FakeCoordinate

__all__ = ["coordinate", "task_master"]


@pytest.fixture
def coordinate() -> FakeCoordinate:
    """A server in memory with a client and a worker, new for each test."""
    return FakeCoordinate()


@pytest.fixture
def task_master(coordinate: FakeCoordinate) -> TaskMaster:
    """A client of the server in memory."""
    return coordinate.task_master
