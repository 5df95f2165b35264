"""The garbage collector, kept from stopping the loop.

What the server is made of is found by counting references: it has no circles that are ever let go.
A full collection would go through all of it, half a second for a million units, so what has stayed
for a while is taken out of the collector's sight, and full collections are made where they are
short: of what has come since the last one.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["at_rest", "look", "set_up"]

# Objects until the youngest are gone through, those until all but the oldest are, in times of that,
# and for the oldest a number that is never reached.
_YOUNG: Final = 5_000
_TIMES: Final = 5
_NEVER: Final = 1_000_000_000


@contextmanager
def at_rest() -> Iterator[None]:
    """Collect nothing while much is made that stays."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def set_up() -> None:
    """Begin, with everything that is there now out of sight."""
    gc.set_threshold(_YOUNG, _TIMES, _NEVER)
    gc.freeze()


def look() -> None:
    """Take out of sight what has come, if it is much; call it once a second."""
    *_, times = gc.get_count()
    if times:
        gc.collect()
        gc.freeze()
