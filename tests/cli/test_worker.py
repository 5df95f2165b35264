"""The worker behind run_one: what it fetches, runs, and hands back."""

import sys
from typing import Any

import pytest

from coordinate_client import LostLease, ProgrammerError, WorkUnit
from coordinate_client.worker import SingleWorker, available_gb


class Unit(WorkUnit):
    """A unit that runs as the test says, and notes what becomes of it."""

    def __init__(self, key, outcome=None):
        self.key = key
        self.work_spec_name = "s"
        self.outcome = outcome
        self.told = []

    def run(self):
        self.told.append("run")
        if self.outcome is not None:
            raise self.outcome

    def fail(self, exc=None, delay=None):
        self.told.append(exc)
        return True

    def update(self, lease_time=None):
        self.told.append(lease_time)
        return True


class Master:
    """A server with a few answers to get_work."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.noted = []

    def get_mode(self):
        return "RUN"

    def worker_heartbeat(self, worker_id, mode, expire_seconds, data=None, parent=None):
        self.noted.append(("heartbeat", worker_id, mode, data["worker_id"], parent))

    def worker_unregister(self, worker_id):
        self.noted.append(("unregister", worker_id))

    def get_work(self, worker_id, **options):
        self.noted.append(("get_work", worker_id, options["max_jobs"]))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def made(*answers, config=None, **options) -> Any:
    """A worker on a server with these answers."""
    master: Any = Master(*answers)
    return SingleWorker(config, master, **options)


def working(*answers, config=None):
    """The same, registered."""
    worker = made(*answers, config=config)
    worker.register()
    return worker


def test_register_tells_the_server_once():
    """A worker has one id from register to unregister."""
    worker = made()
    worker_id = worker.register(parent="p")
    assert worker.task_master.noted == [("heartbeat", worker_id, "RUN", worker_id, "p")]
    with pytest.raises(ProgrammerError, match="unregister it first"):
        worker.register()
    worker.unregister()
    assert worker.task_master.noted[-1] == ("unregister", worker_id)
    with pytest.raises(ProgrammerError, match="call register"):
        worker.run()


def test_run_is_false_without_work():
    """Nothing to do, whether it was asked for one unit or for several."""
    assert not working(None).run()
    assert not working([]).run()


def test_all_units_of_a_fetch_are_run():
    """One that fails is failed with its exception; the next one runs all the same."""
    error = ValueError("no")
    units = [Unit("a"), Unit("b", error), Unit("c")]
    assert working(units).run()
    assert [unit.told for unit in units] == [["run"], ["run", error], ["run"]]


def test_lost_lease_is_not_reported():
    """Somebody else has the unit: nothing is said about it any more."""
    unit = Unit("a", LostLease("a"))
    assert working(unit).run()
    assert unit.told == ["run"]


def test_interrupted_worker_gives_the_rest_back():
    """Units that were fetched and not begun go to others at once."""
    units = [Unit("a", KeyboardInterrupt()), Unit("b"), Unit("c")]
    with pytest.raises(KeyboardInterrupt):
        working(units).run()
    assert [unit.told for unit in units] == [["run"], [-1], [-1]]


def test_fetch_size_comes_from_the_configuration():
    """worker_job_fetch, unless the program says otherwise."""
    worker = working(None, config={"worker_job_fetch": 5})
    worker.run()
    assert worker.task_master.noted[-1][2] == 5
    assert made(config={"worker_job_fetch": 5}, max_jobs=2).max_jobs == 2


@pytest.mark.parametrize("answer, code", [(Unit("a"), 0), (None, 2), (OSError("away"), 1)])
def test_process_tells_by_its_exit_code(answer, code):
    """0 ran something, 2 had nothing to do, 1 could not ask; and it unregisters in each case."""
    worker = made(answer)
    assert worker.run_as_process() == code
    assert worker.task_master.noted[-1][0] == "unregister"


def test_free_memory_is_known_without_psutil(tmp_path, monkeypatch):
    """Linux tells it in a file; where there is none, nothing is claimed."""
    monkeypatch.setitem(sys.modules, "psutil", None)
    file = tmp_path / "meminfo"
    assert available_gb(file) is None
    file.write_text("MemTotal: 9 kB\nMemAvailable:    3145728 kB\n")
    assert available_gb(file) == 3.0
