"""Adding as many units as a file has: in slices, with a progress bar where a person waits."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from coordinate_client.cli.files import Unit, UnitFile
from coordinate_client.cli.options import no_such_spec
from coordinate_client.cli.session import Session
from coordinate_client.exceptions import CoordinateException

__all__ = ["add_units", "sliced"]

# A server takes 1,000 requests and 16 MiB in a message: a slice stays well below both.
SLICE_UNITS = 1000
SLICE_BYTES = 2**22


def sliced(
    units: Iterable[tuple[Unit, int]], most_units: int = SLICE_UNITS, most_bytes: int = SLICE_BYTES
) -> Iterator[list[Unit]]:
    """Cut a stream of units into lists that each fit into a message.

    Arguments:
        units: each with about how many bytes it takes.
        most_units: of a list.
        most_bytes: of a list, unless a single unit has more.
    """
    batch: list[Unit] = []
    size = 0
    for unit, unit_size in units:
        if batch and (len(batch) == most_units or size + unit_size > most_bytes):
            yield batch
            batch, size = [], 0
        batch.append(unit)
        size += unit_size
    if batch:
        yield batch


def add_units(session: Session, spec_name: str, units_path: str) -> int:
    """Add all units of a file to a spec.

    Arguments:
        session: the server.
        spec_name: the spec, which must exist.
        units_path: the file; ``-`` for standard input.

    Returns:
        How many were added.

    Raises:
        click.ClickException: there is no such spec; or a line is wrong: those before it were added,
            as far as the message says.
    """
    # Asked first, so that an unknown spec is told as such, and before a long file is read.
    if session.task_master.get_work_spec(spec_name) is None:
        raise no_such_spec(spec_name)
    with UnitFile.open(units_path) as file, _progress(file) as progress:
        return _add(session, spec_name, file, progress)


def _add(session: Session, spec_name: str, file: UnitFile, progress: Progress) -> int:
    task = progress.add_task("adding work units", total=file.size, units=0)
    added = 0
    try:
        for batch in sliced(file.units()):
            session.task_master.add_work_units(spec_name, _pairs(batch))
            added += len(batch)
            progress.update(task, completed=file.position, units=added)
    except click.ClickException as error:
        message = f"{error.message} ({added} work units before it were added)"
        raise click.ClickException(message) from error
    except (KeyboardInterrupt, CoordinateException):
        progress.stop()
        click.echo(f"coordinate: stopped after {added} work units were added", err=True)
        raise
    return added


def _pairs(batch: list[Unit]) -> list[tuple[str, dict[str, Any]]]:
    # Of equal keys the last one wins, as in one call.
    return list(dict(batch).items())


def _progress(file: UnitFile) -> Progress:
    # Where units are typed in, a bar would be drawn over them.
    typed = file.raw is sys.stdin.buffer and sys.stdin.isatty()
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[units]:,} units"),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
        disable=typed or not sys.stderr.isatty(),
        transient=True,
    )
