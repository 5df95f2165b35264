"""The code of the unit of stopping.py."""

import os
import time
from pathlib import Path

from coordinate_client import WorkUnit


def begin(_unit: WorkUnit, pipe: str) -> None:
    """Say when it began, and go on until it is told to end."""
    moment = time.monotonic()
    Path(pipe).write_text(f"{moment} {os.getpid()}", encoding="ascii")
    while True:
        time.sleep(60)
