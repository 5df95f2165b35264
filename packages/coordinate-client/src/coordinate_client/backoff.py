"""How long to wait before trying again."""

import os

from attrs import frozen

__all__ = ["Backoff", "chance"]

_LONGEST = 30.0  # seconds: a fleet finds a server that came back within half a minute


@frozen
class Backoff:
    """Pauses that double, and that spread a fleet's clients over time.

    Args:
        base: seconds of the first pause.
        longest: seconds that no pause exceeds.
    """

    base: float
    longest: float = _LONGEST

    def pause(self, number: int, luck: float) -> float:
        """Seconds to wait.

        Args:
            number: 0 for the first pause, 1 for the second ...
            luck: 0 to 1; the pause is from half of its length to all of it.
        """
        # Beyond 2**64 there is nothing left to double, and floats overflow.
        return min(self.longest, self.base * 2.0 ** min(number, 64)) * (0.5 + luck / 2)


def chance() -> float:
    """A number from 0 to 1, without importing the random module, which costs milliseconds."""
    return int.from_bytes(os.urandom(4), "big") / 2**32
