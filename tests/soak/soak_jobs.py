"""The code of the soak's units: takes its time, and leaves a trace of its beginning and its end."""

import os
import time


def work(unit, directory):
    """Write "begin", sleep as the data say, write "end"; each is one write, so no line is torn."""
    trace = os.open(f"{directory}/trace", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        _write(trace, f"begin {unit.key} {unit.attempt} {os.getpid()}\n")
        time.sleep(unit.data["seconds"])
        _write(trace, f"end {unit.key} {unit.attempt} {os.getpid()}\n")
    finally:
        os.close(trace)


def _write(trace, line):
    os.write(trace, line.encode())
