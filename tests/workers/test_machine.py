"""What a machine gives to a process: read from files laid out as Linux has them."""

import pytest

from coordinate_client.workers.machine import GIB, available_gb, core_count, resident_bytes

MEMINFO = "MemTotal:       8388608 kB\nMemFree: 1 kB\nMemAvailable:   4194304 kB\n"


@pytest.fixture
def root(tmp_path):
    """A root directory; the machine has 4 GiB free."""
    write(tmp_path, "proc/meminfo", MEMINFO)
    return tmp_path


def write(root, name, text):
    """Write a file below the root."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(text))


def test_memory_is_the_machines_without_groups(root):
    """Nothing else bounds it."""
    assert available_gb(root) == 4


def test_memory_is_what_the_group_leaves(root):
    """The limit, less what is used, and what was only read from files can be had again."""
    write(root, "proc/self/cgroup", "0::/a/b\n")
    write(root, "sys/fs/cgroup/a/b/memory.max", 2 * GIB)
    write(root, "sys/fs/cgroup/a/b/memory.current", int(1.5 * GIB))
    write(root, "sys/fs/cgroup/a/b/memory.stat", f"anon 1\ninactive_file {GIB // 4}\n")
    assert available_gb(root) == 0.75


def test_the_groups_above_bound_it_too(root):
    """A group may have more than the one that it is in."""
    write(root, "proc/self/cgroup", "0::/a/b\n")
    for group, limit in (("a/b", "max"), ("a", 1 * GIB)):
        write(root, f"sys/fs/cgroup/{group}/memory.max", limit)
        write(root, f"sys/fs/cgroup/{group}/memory.current", 0)
    assert available_gb(root) == 1


def test_a_container_sees_its_own_group_at_the_top(root):
    """The path that the kernel says may be the host's."""
    write(root, "proc/self/cgroup", "0::/docker/abc\n")
    write(root, "sys/fs/cgroup/memory.max", GIB)
    write(root, "sys/fs/cgroup/memory.current", GIB // 2)
    assert available_gb(root) == 0.5


def test_groups_of_the_first_version_are_known(root):
    """Their files have other names, and no limit is a very large number."""
    write(root, "proc/self/cgroup", "5:cpu,cpuacct:/a\n4:memory:/a\n")
    write(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", 2**63 - 4096)
    write(root, "sys/fs/cgroup/memory/memory.usage_in_bytes", 0)
    write(root, "sys/fs/cgroup/memory/a/memory.limit_in_bytes", GIB)
    write(root, "sys/fs/cgroup/memory/a/memory.usage_in_bytes", GIB // 2)
    assert available_gb(root) == 0.5


def test_more_used_than_may_be_leaves_nothing(root):
    """Not less than nothing."""
    write(root, "proc/self/cgroup", "0::/\n")
    write(root, "sys/fs/cgroup/memory.max", GIB)
    write(root, "sys/fs/cgroup/memory.current", 2 * GIB)
    assert available_gb(root) == 0


def test_this_machine_has_some_memory():
    """By whatever way it is known."""
    found = available_gb()
    assert found is not None
    assert found > 0


@pytest.mark.parametrize(
    "quota, expected", [("max 100000", None), ("150000 100000", 2), ("10000 100000", 1)]
)
def test_cores_are_what_the_group_gets(root, quota, expected):
    """A share is rounded, and there is one at least."""
    write(root, "proc/self/cgroup", "0::/a\n")
    write(root, "sys/fs/cgroup/a/cpu.max", quota)
    everything = core_count(root / "nothing")
    assert core_count(root) == (everything if expected is None else min(expected, everything))


def test_cores_of_the_first_version(root):
    """The quota is -1 where there is none."""
    write(root, "proc/self/cgroup", "5:cpu,cpuacct:/a\n")
    write(root, "sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", 50000)
    write(root, "sys/fs/cgroup/cpu/a/cpu.cfs_period_us", 100000)
    write(root, "sys/fs/cgroup/cpu/cpu.cfs_quota_us", -1)
    write(root, "sys/fs/cgroup/cpu/cpu.cfs_period_us", 100000)
    assert core_count(root) == 1


def test_the_memory_of_a_process_is_in_bytes(root):
    """Its second number counts pages."""
    write(root, "proc/7/statm", "100 25 3 1 0 20 0\n")
    assert resident_bytes(7, root) == 25 * 4096
    assert resident_bytes(8, root) is None
