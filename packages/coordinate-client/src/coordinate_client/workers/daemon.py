"""Going into the background, as a daemon does."""

import os
import sys

__all__ = ["go_into_background"]


def go_into_background() -> None:
    """Go on as a process without a terminal; the one that was started exits with 0.

    The directory stays: what units import and write may lie in it.
    """
    for first in (True, False):
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fork():
            os._exit(0)
        if first:
            # No terminal can become that of a process which leads no session.
            os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.close(nothing)
