"""The worker's part of the configuration."""

import pytest

from coordinate_client import ProgrammerError
from coordinate_client.workers import settings as module
from coordinate_client.workers.settings import WorkerSettings


def test_defaults_are_those_of_0_1_5(monkeypatch):
    """A child for each core, looked at once a second, for ten seconds each."""
    monkeypatch.setattr(module, "core_count", lambda: 3)
    found = WorkerSettings.of({})
    assert (found.worker, found.job_fetch, found.work_spec_names) == ("fork_worker", 1, None)
    assert found.heartbeat_interval == 15
    fork = found.fork
    assert (fork.num_workers, fork.poll_interval, fork.spawn_interval) == (3, 1, 0.01)
    assert (fork.child_lifetime, fork.stop_jobs_early, fork.max_memory_gb) == (10, 15, None)


@pytest.mark.parametrize(
    "fork, expected",
    [
        ({"num_workers": 7, "num_workers_per_core": 2}, 7),
        ({"num_workers_per_core": 2}, 6),
        ({"num_workers_per_core": 0.5}, 2),
        ({"num_workers_per_core": 0.01}, 1),
    ],
)
def test_workers_are_counted_or_follow_the_cores(monkeypatch, fork, expected):
    """A number wins; there is one at least."""
    monkeypatch.setattr(module, "core_count", lambda: 3)
    assert WorkerSettings.of({"fork_worker": fork}).fork.num_workers == expected


def test_each_kind_has_a_block_of_its_own():
    """With its own interval of heartbeats."""
    block = {
        "worker": "thread_worker",
        "thread_worker": {"num_workers": 5, "heartbeat_interval": 3},
        "async_worker": {"num_workers": 50},
        "fork_worker": {"heartbeat_interval": 9},
    }
    found = WorkerSettings.of(block)
    assert (found.num_threads, found.num_tasks, found.heartbeat_interval) == (5, 50, 3)


@pytest.mark.parametrize(
    "block, message",
    [
        (
            {"worker": "spoon"},
            "worker 'spoon' is not usable: it must be fork_worker or loop_worker",
        ),
        ({"worker_job_fetch": 0}, "worker_job_fetch 0 is not usable: it must be a whole number, 1"),
        ({"worker_job_fetch": True}, "worker_job_fetch True is not usable"),
        ({"work_spec_names": "a"}, "work_spec_names 'a' is not usable: it must be a list of texts"),
        ({"runtimes": [1]}, r"runtimes \[1\] is not usable"),
        ({"packages": 1}, "packages 1 is not usable: it must be true or false"),
        ({"fork_worker": []}, r"fork_worker \[\] is not usable: it must be a map of settings"),
        ({"fork_worker": {"num_workers": -1}}, r"fork_worker\.num_workers -1 is not usable"),
        ({"fork_worker": {"poll_interval": 0}}, r"poll_interval 0 is not usable: .* above 0"),
        ({"fork_worker": {"child_lifetime": -1}}, r"child_lifetime -1 is not usable: .* 0 or more"),
        ({"fork_worker": {"max_memory_gb": float("nan")}}, "max_memory_gb nan is not usable"),
        ({"fork_worker": {"preload": "os"}}, r"fork_worker\.preload 'os' is not usable"),
    ],
)
def test_what_cannot_be_used_is_said(block, message):
    """Which setting, its value, and what would be right."""
    with pytest.raises(ProgrammerError, match=message):
        WorkerSettings.of(block)
