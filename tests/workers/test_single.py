"""Workers that run in their own process: ids, one fetch, exit codes."""

import sys
from typing import Any

import pytest

import coordinate.worker
import coordinate_client.worker
from coordinate_client import ProgrammerError
from coordinate_client.exceptions import ConnectionFailed
from coordinate_client.workers import SingleWorker, run_worker
from tests.workers.master import AWAY, Master


def made(*keys, config=None, **options) -> Any:
    """A worker on a server with these units."""
    master: Any = Master(list(keys))
    return SingleWorker(config, master, **options)


def test_register_tells_the_server_once():
    """A worker has one id from register to unregister."""
    worker = made()
    worker_id = worker.register(parent="p")
    assert worker.task_master.told == [("heartbeat", worker_id, "RUN", "p")]
    with pytest.raises(ProgrammerError, match="unregister it first"):
        worker.register()
    worker.unregister()
    assert worker.task_master.told[-1] == ("unregister", worker_id)
    with pytest.raises(ProgrammerError, match="call register"):
        worker.run()


@pytest.mark.parametrize("most", [1, 3])
def test_run_is_whether_there_was_work(most):
    """Whether it was asked for one unit or for several."""
    worker = made("a", max_jobs=most)
    worker.register()
    assert worker.run()
    assert not worker.run()
    assert ("finish", "a") in worker.task_master.told


def test_fetch_size_comes_from_the_configuration():
    """worker_job_fetch, unless the program says otherwise."""
    worker = made(*"abcdefg", config={"worker_job_fetch": 5})
    worker.register()
    worker.run()
    assert ("get_work", *"abcde") in worker.task_master.told
    assert made(config={"worker_job_fetch": 5}, max_jobs=2).max_jobs == 2


@pytest.mark.parametrize("keys, trouble, code", [("a", None, 0), ("", None, 2), ("a", AWAY, 1)])
def test_process_tells_by_its_exit_code(keys, trouble, code):
    """0 ran something, 2 had nothing to do, 1 could not ask; and it unregisters in each case."""
    worker = made(*keys)
    worker.task_master.troubles = [trouble]
    assert worker.run_as_process() == code
    assert worker.task_master.told[-1][0] == "unregister"


def test_run_worker_is_a_whole_life():
    """Its id is what it gives; what it raises comes out, after it has unregistered."""
    master: Any = Master(["a"])
    worker_id = run_worker(SingleWorker, {}, master)
    assert [one[:2] for one in master.told if one[0] in {"heartbeat", "unregister"}] == [
        ("heartbeat", worker_id),
        ("unregister", worker_id),
    ]
    master.troubles = [AWAY]
    with pytest.raises(ConnectionFailed):
        run_worker(SingleWorker, {}, master)
    assert master.told[-1][0] == "unregister"


def test_workers_are_where_0_1_5_had_them():
    """Under the names that it had."""
    for name in ("Worker", "SingleWorker", "LoopWorker", "ForkWorker", "run_worker"):
        assert getattr(coordinate.worker, name) is getattr(coordinate_client.worker, name)


def test_importing_workers_does_not_import_asyncio():
    """Nor what the extra [worker] brings."""
    import subprocess

    code = (
        "import sys, coordinate_client.workers as w; "
        "print([n for n in ('asyncio', 'psutil', 'setproctitle', 'yaml', 'yakonfig') "
        "if n in sys.modules]); w.AsyncWorker"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
