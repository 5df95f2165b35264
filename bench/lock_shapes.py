"""The trees of locks that are measured: where locks are held, and where others come and go."""

from collections.abc import Callable

from attrs import frozen

__all__ = ["SHAPES", "Parts", "Shape"]

Parts = list[str]

MOST = 100_000
"""So many places a tree has; fewer locks are spread evenly over them."""


@frozen
class Shape:
    """A tree.

    Arguments:
        title: what it is called.
        above: the parts above the last one, by the number of a place.
    """

    title: str
    above: Callable[[int], Parts]

    def held(self, count: int) -> list[Parts]:
        """The paths of so many locks that are held."""
        step = MOST // count
        return [[*self.above(place), f"held-{place:05}"] for place in range(0, MOST, step)]

    def free(self, number: int) -> Parts:
        """A path that is free, in the midst of those that are held."""
        place = number * 7919 % MOST  # a prime: all over the tree
        return [*self.above(place), f"free-{number:05}"]


def _digits(place: int) -> Parts:
    return ["tree", *(f"branch-{digit}" for digit in f"{place:05}")]


SHAPES = (
    Shape("siblings under one parent", lambda _: ["tree"]),
    Shape("leaves seven parts deep", _digits),
)
