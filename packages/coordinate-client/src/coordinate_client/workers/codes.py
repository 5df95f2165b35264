"""Exit statuses of workers, which scripts of 0.1.5 know."""

from typing import Final

__all__ = ["BORED", "ERROR", "RAN"]

RAN: Final = 0
"""It ran something, well or not."""
ERROR: Final = 1
"""It could not get any work because of an error."""
BORED: Final = 2
"""It had nothing to do."""
