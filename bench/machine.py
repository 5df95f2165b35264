"""The machine: what it is, and how many syncs of its disk it does in a second."""

import os
import platform
import shutil
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final

__all__ = ["described", "syncs_per_second"]

_BLOCK: Final = bytes(4096)
_GROWN_BYTES: Final = 64 * 2**20


def described() -> dict[str, str]:
    """What a figure was measured on and with."""
    return {
        "processors": f"{os.cpu_count()} cores, {_processor()}",
        "kernel": f"{platform.system()} {platform.release()} {platform.machine()}",
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        **{program: _version(program, flag) for program, flag in _OTHERS.items()},
    }


_OTHERS: Final = {"beanstalkd": "-v", "redis-server": "--version"}


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    for line in info.read_text(encoding="utf-8").splitlines() if info.exists() else ():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.processor() or "unknown"


def _version(program: str, flag: str) -> str:
    if shutil.which(program) is None:
        return "not installed"
    said = subprocess.run([program, flag], capture_output=True, text=True, check=False)
    words = said.stdout.replace("v=", "").split()
    return next((word for word in words if word[0].isdigit()), "unknown")


def syncs_per_second(seconds: float, directory: Path | None = None) -> float:
    """How many times a second 4 KiB are appended to a file and synced.

    The file has its size before, as a write-ahead log has that is used again: a sync then writes
    the data alone.

    Args:
        seconds: for how long.
        directory: where the file is made; None for that of temporary files.
    """
    with tempfile.TemporaryFile(prefix="coordinate-bench-", dir=directory) as file:
        descriptor = file.fileno()
        for offset in range(0, _GROWN_BYTES, 2**20):
            os.pwrite(descriptor, bytes(2**20), offset)
        os.fsync(descriptor)
        return _syncs(descriptor, seconds)


def _syncs(descriptor: int, seconds: float) -> float:
    began, done = time.perf_counter(), 0
    while (spent := time.perf_counter() - began) < seconds:
        os.pwrite(descriptor, _BLOCK, done * len(_BLOCK) % _GROWN_BYTES)
        os.fdatasync(descriptor)
        done += 1
    return done / spent
