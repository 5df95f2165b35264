"""What a machine gives to this process: memory and cores, within its control groups."""

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["GIB", "available_gb", "core_count", "resident_bytes"]

GIB = 2**30
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
# What a version 1 group without a limit says is about this large.
_NO_LIMIT = 2**60


def available_gb(root: Path = Path("/")) -> float | None:
    """The memory that a new job could use, in GiB: the machine's, or what its groups leave.

    Args:
        root: where the system's files are.

    Returns:
        The least of what is free; None where nothing is known.
    """
    found = [*_machine_bytes(root), *_group_bytes(root)]
    return min(found) / GIB if found else None


def _machine_bytes(root: Path) -> Iterator[int]:
    try:
        for line in (root / "proc/meminfo").read_text(encoding="ascii").splitlines():
            name, _, amount = line.partition(":")
            if name == "MemAvailable":
                yield int(amount.split()[0]) * 1024
    except (OSError, ValueError):
        yield from _psutil_bytes()


def _psutil_bytes() -> Iterator[int]:
    """Where there is no /proc, psutil knows, if it is installed."""
    try:
        import psutil
    except ImportError:
        return
    yield int(psutil.virtual_memory().available)


def _group_bytes(root: Path) -> Iterator[int]:
    """What each memory limit above this process leaves."""
    for group, names in _groups(root):
        limit = _number(group / names[0])
        used = _number(group / names[1])
        if limit is not None and used is not None and limit < _NO_LIMIT:
            # What was read from files is let go of when somebody needs the room.
            yield max(0, limit - used + _statistic(group / "memory.stat", names[2]))


_V2 = ("memory.max", "memory.current", "inactive_file")
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")


def _groups(root: Path) -> Iterator[tuple[Path, tuple[str, str, str]]]:
    """The control groups that this process is in, from the innermost outwards."""
    mount = root / "sys/fs/cgroup"
    for _, controllers, path in _memberships(root):
        if not controllers:
            yield from ((group, _V2) for group in _upwards(mount, path))
        elif "memory" in controllers:
            yield from ((group, _V1) for group in _upwards(mount / "memory", path))


def _memberships(root: Path) -> Iterator[tuple[str, list[str], str]]:
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        parts = line.split(":", 2)
        if len(parts) == 3:  # noqa: PLR2004 - number, controllers, path
            yield parts[0], parts[1].split(",") if parts[1] else [], parts[2]


def _upwards(mount: Path, path: str) -> Iterator[Path]:
    group = mount / path.strip("/")
    # In a container the path may be the host's, which is not there: its own group is the mount.
    while group != mount and mount in group.parents:
        yield group
        group = group.parent
    yield mount


def _number(path: Path) -> int | None:
    """The number in a file; None where it is not there, or says "max"."""
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def _statistic(path: Path, name: str) -> int:
    try:
        lines = path.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.split()[:1] == [name])
    except (OSError, ValueError, StopIteration, IndexError):
        return 0


def core_count(root: Path = Path("/")) -> int:
    """The cores that this process may use: those it is bound to, or its groups' share of time.

    Args:
        root: where the system's files are.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min([bound or 1, *(int(share + 0.5) for share in _shares(root))]))


def _shares(root: Path) -> Iterator[float]:
    """The cores' worth of time that each group above this process gets."""
    mount = root / "sys/fs/cgroup"
    for _, controllers, path in _memberships(root):
        if not controllers:
            for group in _upwards(mount, path):
                yield from _share(_words(group / "cpu.max"))
        elif "cpu" in controllers:
            for group in _upwards(mount / "cpu", path):
                names = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
                yield from _share([word for name in names for word in _words(group / name)])


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").split()
    except OSError:
        return []


def _share(words: list[str]) -> Iterator[float]:
    try:
        quota, period = (int(word) for word in words)
    except ValueError:
        return
    if quota > 0 and period > 0:
        yield quota / period


def resident_bytes(pid: int, root: Path = Path("/")) -> int | None:
    """The memory that a process has, in bytes; None where that cannot be known.

    Args:
        pid: which process.
        root: where the system's files are.
    """
    try:
        return int((root / f"proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return None
