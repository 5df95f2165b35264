"""``--watch``: a command that stays, and shows anew what has changed.

A command that can do so makes a ``Sight`` of what it finds; ``follow`` looks again and again.
"""

import math
import sys
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any, Final, Protocol, Self

import click
from attrs import define, field, frozen
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.segment import SegmentLines
from rich.text import Text

from coordinate_client.changes import Changes
from coordinate_client.cli.codes import INTERRUPTED
from coordinate_client.cli.output import as_json, cell, show
from coordinate_client.cli.session import Session
from coordinate_client.exceptions import ConnectionFailed, Unsupported

__all__ = ["LOOK_AGAIN", "MOST_TOPICS", "Sight", "follow"]

LOOK_AGAIN: Final = 2.0
"""Seconds between two looks where nobody tells what has changed."""
MOST_TOPICS: Final = 100
"""What servers watch in one call."""

_PAUSE: Final = 0.5
# A look at very much takes seconds of the server's time: it is left alone four times as long.
_REST: Final = 4
_LEAVE: Final = "Ctrl-C to leave"


@frozen
class Sight:
    """What a look has found.

    Arguments:
        value: all of it, for JSON.
        substance: what makes it another one; without what only goes on as time does.
        topics: what it is about, for ``watch``.
        plain: gives its lines for a pipe.
        drawn: gives what a terminal shows; None for the lines.
        stale_after: seconds after which it has to be looked at again, whatever has been told.
    """

    value: Any
    substance: Any
    topics: Sequence[dict[str, Any]]
    plain: Callable[[], Iterable[str]]
    drawn: Callable[[], RenderableType] | None = None
    stale_after: float = math.inf

    def show(self, session: Session, *, wants_json: bool) -> None:
        """Show it once."""
        show(session, self.value, self.plain, self.drawn, wants_json=wants_json)


class Watcher(Protocol):
    """A client, as far as it is needed here."""

    def watch(
        self,
        topics: Any,
        after: int | None = None,
        wait: float | None = None,
        limit: int | None = None,
    ) -> Changes:
        """Tell what has changed."""


@define
class _Regular:
    """Looks again every so many seconds."""

    session: Session
    seconds: float

    @property
    def said(self) -> str:
        """For the foot of the terminal."""
        return f"shown anew every {self.seconds:g} s"

    def mark(self) -> None:
        """Nothing is to be noted."""

    def rest(self, sight: Sight, took: float) -> None:
        """Sleep."""
        del sight, took
        self.session.sleep(self.seconds)


@define
class _Told:
    """Looks again when the server says that something has changed."""

    session: Session
    watcher: Watcher
    polls: bool = field(default=False, init=False)
    _position: int = field(default=0, init=False)

    @property
    def said(self) -> str:
        """For the foot of the terminal."""
        return (
            f"shown anew every {LOOK_AGAIN:g} s"
            if self.polls
            else "shown anew when something changes"
        )

    def mark(self) -> None:
        """Learn the position of the present: what changes from now on, a look may not show."""
        if not self.polls:
            try:
                self._position = self.watcher.watch({"specs": True}).position
            except Unsupported:
                self._poll()

    def rest(self, sight: Sight, took: float) -> None:
        """Wait for a change; not less than half a second."""
        pause = max(_PAUSE, took * _REST)
        if not self.polls:
            self.session.sleep(pause)
            try:
                self.watcher.watch(sight.topics, self._position, sight.stale_after, limit=1)
            except Unsupported:
                self._poll()
        else:
            self.session.sleep(max(LOOK_AGAIN, pause))

    def _poll(self) -> None:
        self.polls = True
        text = f"the server cannot tell what changes: looking every {LOOK_AGAIN:g} seconds"
        click.echo(f"coordinate: {text}", err=True)


@define
class _Pages:
    """A pipe or a file: a document for each change; of JSON, each is a line.

    Arguments:
        session: who asks.
        wants_json: whether it is JSON.
        always: whether a look that has found nothing new is shown, too.
    """

    session: Session
    wants_json: bool
    always: bool
    _last: tuple[Any] | None = field(default=None, init=False)
    _away: bool = field(default=False, init=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is to be tidied up."""

    def show(self, sight: Sight, said: str) -> None:
        del said
        self._away = False
        if self._last != (sight.substance,) or self.always:
            self._write(sight)
        self._last = (sight.substance,)

    def _write(self, sight: Sight) -> None:
        if self.wants_json:
            click.echo(as_json(sight.value, indent=None))
        else:
            lines = sight.plain() if self._last is None else ("", *sight.plain())
            for line in lines:
                click.echo(line)
        sys.stdout.flush()

    def away(self, error: ConnectionFailed) -> None:
        if not self._away:
            click.echo(f"coordinate: {error}", err=True)
        self._away = True


class _Screen:
    """A terminal: what was found is drawn where it was drawn before."""

    def __init__(self) -> None:
        self._console = Console(file=sys.stdout, highlight=False, force_terminal=True)
        self._live = Live(console=self._console, auto_refresh=False)
        self._shown: RenderableType = Text()

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self, sight: Sight, said: str) -> None:
        self._shown = self._fitting(_drawn(sight))
        self._draw(Text(f"{said}; {_LEAVE}", style="dim"))

    def away(self, error: ConnectionFailed) -> None:
        self._draw(cell(error, "bold red"))

    def _draw(self, foot: Text) -> None:
        foot.truncate(self._console.width, overflow="ellipsis")
        self._live.update(Group(self._shown, foot), refresh=True)

    def _fitting(self, drawn: RenderableType) -> RenderableType:
        """What has room above the foot; what is taller cannot be drawn over."""
        lines = self._console.render_lines(drawn, pad=False)
        room = max(1, self._console.height - 2)
        if len(lines) <= room:
            return SegmentLines(lines, new_lines=True)
        more = Text(f"… {len(lines) - room + 1} lines more", style="dim")
        return Group(SegmentLines(lines[: room - 1], new_lines=True), more)


def _drawn(sight: Sight) -> RenderableType:
    if sight.drawn is not None:
        return sight.drawn()
    return Group(*(cell(line) for text in sight.plain() for line in text.split("\n")))


_Pace = _Told | _Regular
_Output = _Screen | _Pages


def follow(
    session: Session,
    watcher: Watcher,
    look: Callable[[], Sight],
    *,
    wants_json: bool,
    wants_text: bool = False,
    every: float | None = None,
) -> None:
    """Look, show, and look again, until an interrupt, which is exit code 130.

    A server that is away for a while is waited for.

    Arguments:
        session: who asks.
        watcher: tells what has changed.
        look: asks the server for all that is to be shown.
        wants_json: whether each document is a line of JSON.
        wants_text: whether a terminal gets what a pipe does.
        every: look so often (seconds), and show that, whatever has changed; None for when something
            has.
    """
    pace: _Pace = _Told(session, watcher) if every is None else _Regular(session, every)
    draws = session.on_terminal and not wants_json and not wants_text
    output: _Output = _Screen() if draws else _Pages(session, wants_json, every is not None)
    try:
        with output:
            while True:
                _look_once(session, pace, look, output)
    except KeyboardInterrupt:
        click.get_current_context().exit(INTERRUPTED)


def _look_once(session: Session, pace: _Pace, look: Callable[[], Sight], output: _Output) -> None:
    try:
        pace.mark()
        began = session.timer()
        sight = look()
        output.show(sight, pace.said)
        pace.rest(sight, session.timer() - began)
    except ConnectionFailed as error:
        output.away(error)
        session.sleep(LOOK_AGAIN)
