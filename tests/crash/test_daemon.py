"""The server as it is, over TCP, killed at a write, or with a disk that fails."""

import random
from collections import Counter

import pytest
from attrs import evolve

from tests.crash.points import chosen, told
from tests.crash.servers import TracedServer
from tests.crash.tracing import WRITES
from tests.crash.verdict import check_file
from tests.server.running import RunningServer

pytestmark = [pytest.mark.crash, pytest.mark.timeout(3600)]

TRACE = ["-e", f"trace={','.join(WRITES)}"]
# What a run of the clients has at least, of each call.
CALLS = Counter({"pwrite64": 120, "fdatasync": 20})
ROUNDS = 40


@pytest.mark.parametrize("what", ["signal=SIGKILL", "error=EIO", "error=ENOSPC"])
def test_a_server_loses_nothing_it_acknowledged(what, strace, tmp_path, counts, how_many, run_seed):
    """The real one starts again from some of the files; all are looked at without it, too."""
    kill = what == "signal=SIGKILL"
    number = how_many(8, 200) if kill else how_many(3, 30)
    chance = random.Random(run_seed)
    for place, point in enumerate(chosen(run_seed, CALLS, number, what)):
        point = evolve(point, lasts=not kill and chance.random() < 0.5)  # noqa: PLW2901 - the same call
        home = tmp_path / f"{place}"
        home.mkdir()
        with told(home, f"daemon, seed {run_seed + place}, {point}"):
            strike(home, run_seed + place, point)
        counts["daemon kills" if kill else "errors"] += 1


def strike(home, seed, point):
    """Let it happen, start again, and look."""
    server = TracedServer(home, seed, [*TRACE, *point.options])
    server.drive(ROUNDS)
    status = server.stop()
    lines = [line for line in server.errors().splitlines() if line.startswith("coordinated:")]
    if not point.what.startswith("signal"):
        assert status in {0, 1}, server.errors()
        assert len(lines) == status, server.errors()
        assert "Traceback" not in server.errors()
    if not seed % 4:
        again = RunningServer(home, "--data", server.data)
        assert again.terminate() == 0
        again.close()
    check_file(server.data, server.known(), wall_stands=False)
