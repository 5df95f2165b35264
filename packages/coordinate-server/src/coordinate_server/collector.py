"""The garbage collector, kept from stopping the loop: it takes a microsecond for each object.

What the server is made of is found by counting references: it leaves no circles when it is let go.
So what has stayed for a while is taken out of the collector's sight, where circles are not found,
and only the young are gone through, a few at a time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

__all__ = ["at_rest", "look", "set_up"]

# How many objects come until the young are gone through; after how many times of that those are
# that were young before; and for all others a number of times that is never reached.
_YOUNG: Final = 700
_TIMES: Final = 3
_NEVER: Final = 1_000_000_000
# So many can be gone through within a few milliseconds.
_FEW: Final = 3_000


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
    """Take what has stayed out of sight, and circles away first where that is quick.

    To be called once a second.
    """
    *_, times = gc.get_count()
    if times:
        if len(gc.get_objects(generation=2)) <= _FEW:
            gc.collect()
        gc.freeze()
