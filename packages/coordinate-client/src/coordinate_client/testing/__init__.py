"""Tests of users' own code: a server in memory, a clock that a test moves, a worker in process.

    FakeCoordinate   all of it, for one test
    fixtures         the same for pytest: name it in `pytest_plugins`
    FakeServer       the server alone, and FakeClock, its time

Units run as a worker runs them, and clients are the real ones down to their bytes; what the server
in memory does not have, they raise `Unsupported` for.
"""

from coordinate_client.testing.clock import FakeClock
from coordinate_client.testing.coordinate import FakeCoordinate
from coordinate_client.testing.server import FakeServer
from coordinate_client.testing.state import RanUnit, UnitState

__all__ = ["FakeClock", "FakeCoordinate", "FakeServer", "RanUnit", "UnitState"]
