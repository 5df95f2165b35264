"""Orders that reach workers with their heartbeats: cancel, take no more, end."""

import pytest

from tests.soak.fleet import wait_until
from tests.workers.conftest import PATIENCE

KINDS = ["fork_worker", "loop_worker", "async_worker"]


def reason_of(site, key):
    """Why a unit failed."""
    ((_, data),) = site.master.get_work_units("s", [key])
    return data["traceback"]


@pytest.mark.parametrize("kind", ["fork_worker", "loop_worker", "thread_worker"])
def test_a_cancelled_unit_ends_and_cleans_up(site, kind):
    """At once, though its worker is in the midst of it; and it is not tried again."""
    code = "meets" if kind != "thread_worker" else "spins"
    site.spec(code, max_retries=5)
    site.add("a")
    parent = site.start(worker=kind)
    site.meet()
    site.master.cancel("s", "a", reason="not needed")
    site.status(failed=1)
    assert "not needed" in reason_of(site, "a")
    assert wait_until(lambda: site.notes() == ["a"])
    site.add("b")
    assert site.meet()[0] == "b"
    site.master.cancel("s", "b")
    site.status(failed=2)
    assert parent.stop() == 0


def test_code_that_does_not_listen_is_killed(site):
    """By SIGTERM, and in the end by SIGKILL; nobody else is harmed."""
    site.spec("swallows", max_retries=5)
    site.add("a")
    parent = site.start()
    site.meet()
    site.master.cancel("s", "a", reason="enough")
    site.status(failed=1)
    assert "enough" in reason_of(site, "a")
    assert parent.stop() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_an_idle_worker_takes_no_work(site, kind):
    """It stays, and goes on when it is told."""
    site.spec()
    parent = site.start(worker=kind)
    assert wait_until(site.master.workers)
    site.master.set_modes("IDLE", everyone=True)
    assert wait_until(lambda: "IDLE" in site.master.workers().values())
    site.add("a")
    site.status(available=1)
    site.master.set_modes("RUN", everyone=True)
    site.status(finished=1)
    assert parent.stop() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_worker_that_is_to_terminate_ends(site, kind):
    """After what it runs."""
    site.spec()
    parent = site.start(worker=kind)
    assert wait_until(site.master.workers)
    site.master.set_modes("TERMINATE", everyone=True)
    assert parent.process.wait(PATIENCE) == 0
    assert wait_until(lambda: not parent.processes())
