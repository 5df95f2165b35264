"""Coordinate: one spec, whose units are without data."""

import os

from coordinate_client import TaskMaster, WorkUnit
from peers.counting import count

__all__ = ["enqueue", "run"]

SPEC = {
    "name": "bench",
    "min_gb": 0.01,
    "module": "peers.coordinate_units",
    "run_function": "run",
}
_CONFIG = {"address": os.environ["COORDINATE_ADDRESS"]}


def run(_unit: WorkUnit) -> None:
    """Count."""
    count()


def enqueue(number: int) -> None:
    """Add so many units, as many in each call as the client does by itself."""
    with TaskMaster(_CONFIG) as master:
        master.update_bundle(SPEC, {f"unit-{each:07}": {} for each in range(number)})
