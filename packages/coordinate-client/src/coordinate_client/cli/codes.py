"""The codes with which ``coordinate`` exits."""

from typing import Final

__all__ = [
    "CANNOT_RUN",
    "FAILED",
    "INTERRUPTED",
    "LOST_LOCK",
    "NOT_FOUND",
    "SIGNALLED",
    "UNREACHABLE",
    "USAGE",
]

FAILED: Final = 1
# 2 is "nothing to do", as 0.1.5's run_one has it.
UNREACHABLE: Final = 3
# sysexits.h: EX_USAGE. click's own 2 is taken.
USAGE: Final = 64
# sysexits.h: EX_TEMPFAIL, "the user is invited to retry".
LOST_LOCK: Final = 75
# What shells give where they cannot run a command, and find none.
CANNOT_RUN: Final = 126
NOT_FOUND: Final = 127
# Shells add the number of the signal that ended a process.
SIGNALLED: Final = 128
# SIGINT is 2.
INTERRUPTED: Final = SIGNALLED + 2
