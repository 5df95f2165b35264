"""The command ``summary``: a line a spec, once or until interrupted."""

import contextlib
import sys
from collections.abc import Callable
from typing import Any

import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from coordinate_client.cli.options import json_option, pass_session
from coordinate_client.cli.output import as_json, cell, show, table
from coordinate_client.cli.session import Session
from coordinate_client.exceptions import ConnectionFailed, NoSuchWorkSpecError

__all__ = ["COMMANDS", "summary"]

NOW = "_NOW"
COLUMNS = (
    "num_available",
    "num_pending",
    "num_blocked",
    "num_failed",
    "num_finished",
    "num_tasks",
)
TITLES = ("Work spec", "#Avail", "#Pending", "#Blocked", "#Failed", "#Finished", "#Total")

Counts = dict[str, Any]


@click.command("summary")
@json_option
@click.option("--text", "wants_text", is_flag=True, help="Print plain text, on a terminal too.")
@click.option(
    "--watch",
    metavar="[SECONDS]",
    type=click.FloatRange(min=0.1),
    is_flag=False,
    flag_value=2.0,
    help="Stay, and look again every SECONDS (2) until interrupted.",
)
@pass_session
def summary(session: Session, watch: float | None, *, wants_json: bool, wants_text: bool) -> None:
    """Count the work units of every work spec by status."""
    if watch is None:
        counts = _counts(session)
        _show(session, counts, wants_json=wants_json, wants_text=wants_text)
    elif session.on_terminal and not wants_json and not wants_text:
        _watch_live(session, watch)
    else:
        show_again = lambda: _show_again(session, wants_json=wants_json)  # noqa: E731 - one call
        _repeat(session, watch, show_again)


def _counts(session: Session) -> Counts:
    counts: Counts = {}
    for spec in session.task_master.iter_work_specs():
        # A spec may go between the list and the count: then it is not there.
        with contextlib.suppress(NoSuchWorkSpecError):
            counts[spec["name"]] = session.task_master.status(spec["name"])
    counts[NOW] = session.clock()
    return counts


def _show(session: Session, counts: Counts, *, wants_json: bool, wants_text: bool) -> None:
    if wants_json:
        # One line: 0.1.5's shape, which a log of many is read by.
        click.echo(as_json(counts, indent=None))
        # Asked for both, 0.1.5 gave both.
        if not wants_text:
            return
    drawn = None if wants_text else lambda: _table(counts)
    show(session, counts, lambda: _lines(counts), drawn, wants_json=False)


def _names(counts: Counts) -> list[str]:
    return sorted(name for name in counts if name != NOW)


def _lines(counts: Counts) -> list[str]:
    titles = [f"{'Work spec':20}", "   Avail", " Pending", " Blocked", "  Failed", "Finished"]
    lines = [" ".join([*titles, "   Total"]), " ".join(["=" * 20, *["=" * 8] * 6])]
    for name in _names(counts):
        numbers = (f"{counts[name][column]:8d}" for column in COLUMNS)
        lines.append(" ".join([f"{name:20s}", *numbers]))
    return lines


def _table(counts: Counts) -> Table:
    return table(
        TITLES, ([name, *(counts[name][column] for column in COLUMNS)] for name in _names(counts))
    )


def _repeat(session: Session, seconds: float, look: Callable[[], None]) -> None:
    """Look again and again; the user's interrupt is the ordinary end of it."""
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            look()
            session.sleep(seconds)


def _show_again(session: Session, *, wants_json: bool) -> None:
    try:
        _show(session, _counts(session), wants_json=wants_json, wants_text=not wants_json)
    except ConnectionFailed as error:
        click.echo(f"coordinate: {error}", err=True)
    sys.stdout.flush()


def _watch_live(session: Session, seconds: float) -> None:
    console = Console(file=sys.stdout, highlight=False, force_terminal=True)
    with Live(console=console, auto_refresh=False) as live:
        _repeat(session, seconds, lambda: live.update(_look(session, seconds), refresh=True))


def _look(session: Session, seconds: float) -> RenderableType:
    """The table now; a server that is away for a while is a line, and not the end."""
    try:
        shown: RenderableType = _table(_counts(session))
    except ConnectionFailed as error:
        shown = cell(error, "bold red")
    return Group(shown, Text(f"every {seconds:g} s; Ctrl-C to leave", style="dim"))


COMMANDS = (summary,)
