"""What a scenario is, and where all of them are kept."""

from collections.abc import Callable

from attrs import frozen


@frozen
class Scenario:
    """A short play.

    Arguments:
        name: of its function.
        play: called with a Stage.
        grace: the server's ``restart_grace``, seconds.
    """

    name: str
    play: Callable
    grace: float


SCENARIOS: dict[str, Scenario] = {}


def scenario(play=None, *, grace=1):
    """Make a scenario of a function."""
    if play is None:
        return lambda play: scenario(play, grace=grace)
    SCENARIOS[play.__name__] = Scenario(play.__name__, play, grace)
    return play
