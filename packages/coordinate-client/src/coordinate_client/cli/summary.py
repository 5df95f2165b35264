"""The command ``summary``: a line a spec, once or until interrupted."""

import contextlib
import math
from typing import Any

import click
from rich.table import Table

from coordinate_client.cli.options import json_option, pass_session
from coordinate_client.cli.output import as_json, show, table
from coordinate_client.cli.session import Session
from coordinate_client.cli.watching import LOOK_AGAIN, MOST_TOPICS, Sight, follow
from coordinate_client.exceptions import NoSuchWorkSpecError

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
# Stands for --watch without seconds.
WHEN_CHANGED = 0.0

Counts = dict[str, Any]


@click.command("summary")
@json_option
@click.option("--text", "wants_text", is_flag=True, help="Print plain text, on a terminal too.")
@click.option(
    "--watch",
    metavar="[SECONDS]",
    type=click.FloatRange(min=0),
    is_flag=False,
    flag_value=WHEN_CHANGED,
    help="Stay, and show anew what changes, or all of it every SECONDS, until Ctrl-C.",
)
@pass_session
def summary(session: Session, watch: float | None, *, wants_json: bool, wants_text: bool) -> None:
    """Count the work units of every work spec by status."""
    if watch is None:
        counts = _counts(session)
        _show(session, counts, wants_json=wants_json, wants_text=wants_text)
        return
    follow(
        session,
        session.task_master,
        lambda: _sight(session),
        wants_json=wants_json,
        wants_text=wants_text,
        every=watch or None,
    )


def _sight(session: Session) -> Sight:
    counts = _counts(session)
    names = _names(counts)
    watched = names[: MOST_TOPICS - 1]
    return Sight(
        counts,
        {name: counts[name] for name in names},
        [{"specs": True}, *({"work_spec_name": name} for name in watched)],
        lambda: _lines(counts),
        lambda: _table(counts),
        LOOK_AGAIN if len(watched) < len(names) else math.inf,
    )


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


COMMANDS = (summary,)
