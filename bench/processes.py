"""What a process costs, as Linux tells it in /proc; and how many files one may have open."""

import os
import resource
import time
from pathlib import Path

__all__ = ["Busy", "allow_files", "cpu_seconds", "exact_cpu_seconds", "rss_bytes"]

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# proc(5): the name in brackets may hold anything; utime and stime are fields 14 and 15, and the
# first field after the name is the third.
_UTIME = 14 - 3


def cpu_seconds(pid: int) -> float:
    """Seconds of a processor that a process has used so far, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return sum(map(int, fields[_UTIME : _UTIME + 2])) / _TICKS_A_SECOND


def exact_cpu_seconds(pid: int) -> float:
    """The same without the steps: what the scheduler counted for each thread that still runs."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9


def rss_bytes(pid: int) -> int:
    """Bytes of memory that a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES


def allow_files(count: int) -> int:
    """Have this process, and those it starts, be allowed so many open files; gives the limit.

    Raises:
        SystemExit: more are needed than this user may ask for.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= count:
        return soft
    if hard != resource.RLIM_INFINITY and hard < count:
        raise SystemExit(f"{count} open files are needed, and `ulimit -Hn` says {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    return count


class Busy:
    """How busy a process is, from here on."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._used, self._began = cpu_seconds(pid), time.perf_counter()

    def share(self) -> float:
        """The share of one core that it used, 1 for all of it."""
        used = cpu_seconds(self._pid) - self._used
        return used / (time.perf_counter() - self._began)
