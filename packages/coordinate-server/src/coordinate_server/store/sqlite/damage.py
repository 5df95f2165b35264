"""What is said of a file in which something is not as it was written."""

from pathlib import Path
from typing import Final

from coordinate_server.store.interface import DamagedStore

__all__ = ["ADVICE", "damaged"]

ADVICE: Final = "`coordinated check` says all of it"


def damaged(path: Path, what: object) -> DamagedStore:
    """Make the error of a file, one line, with what to do."""
    return DamagedStore(f"{str(path)!r} is damaged: {what}; {ADVICE}")
