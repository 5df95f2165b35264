"""What every task does: a file grows by one byte, so that its size is how many were done."""

import os
from functools import cache

__all__ = ["VARIABLE", "count"]

VARIABLE = "BENCH_COUNTER"
"""The variable of the environment that names the file."""


@cache
def _file() -> int:
    return os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND)


def count() -> None:
    """Add a byte: about a microsecond where the file is in memory, and never two as one."""
    os.write(_file(), b".")
