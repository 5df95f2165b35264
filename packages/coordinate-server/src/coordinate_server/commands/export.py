"""``coordinated export`` and ``coordinated import``: a data file as lines of JSON, and back."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from coordinate_server.checking import check
from coordinate_server.commands.running import data_file, data_option, reported
from coordinate_server.control_client import NoServer, backup_by_server
from coordinate_server.exports import export_lines, read_export
from coordinate_server.model.changes import Row
from coordinate_server.old_snapshots import read_old_snapshot, sum_path
from coordinate_server.store.interface import DamagedStore, StoreError
from coordinate_server.store.sqlite.inspection import Inspection
from coordinate_server.store.sqlite.newfile import NewFile
from coordinate_server.store.sqlite.placing import claim_part, part_of, place

__all__ = ["export", "import_"]

_STANDARD = Path("-")


@click.command()
@data_option
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    default=_STANDARD,
    metavar="FILE",
    help="A new file; standard output unless told otherwise.",
)
@click.pass_context
@reported
def export(ctx: click.Context, data: Path | None, output: Path) -> None:
    """Write all that is in the data file as lines of JSON, also while a server runs.

    Of a running server, a backup is made beside its data file, exported and removed.
    """
    with _readable(data_file(ctx, data)) as path, _output(output) as out:
        number = _write(path, out)
    click.echo(f"{number:,} rows exported", err=True)


@click.command("import")
@click.argument("source", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@data_option
@click.pass_context
@reported
def import_(ctx: click.Context, source: Path, data: Path | None) -> None:
    """Make the data file out of the export FILE, or of standard input where that is -.

    FILE may be a snapshot of Coordinate 0.1.5 instead, which has a file .md5 beside it. There must
    be no data file, or an empty one. One bad line refuses all.
    """
    path = data_file(ctx, data)
    with NewFile(path, over_empty=True) as file, _rows(ctx, source) as rows:
        number = 0
        for row in rows:
            file.put_all([row])
            number += 1
        file.finish(_check_sound)
    click.echo(f"{number:,} rows imported to {path}")


@contextmanager
def _rows(ctx: click.Context, source: Path) -> Iterator[Iterable[Row]]:
    """Give the rows that a file tells of, whatever of the two it is."""
    if source == _STANDARD:
        yield read_export(sys.stdin.buffer)
    elif sum_path(source).exists():
        yield read_old_snapshot(source, ctx.obj().namespace)
    else:
        try:
            lines = source.open("rb")
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise StoreError(f"cannot read {str(source)!r}: {reason}") from error
        with lines:
            yield read_export(lines)


def _check_sound(path: Path) -> None:
    report = check(path)
    if not report.is_sound:
        raise StoreError(f"the export does not hold together: {report.faults[0]}")


def _write(path: Path, out: BinaryIO) -> int:
    number = -1  # the header is no row
    with Inspection(path) as file:
        file.read_journal()
        for line in export_lines(file):
            out.write(line.encode() + b"\n")
            number += 1
        if file.faults:
            raise DamagedStore(
                f"{str(path)!r} is damaged, the export is not whole: {file.faults[0]};"
                " see `coordinated check --repair`"
            )
    return number


@contextmanager
def _readable(path: Path) -> Iterator[Path]:
    """Give a file with the same rows that nobody uses."""
    copy = path.absolute().with_name(f"{path.name}.export-{os.getpid()}")
    try:
        backup_by_server(path, copy)
    except NoServer:
        yield path
    else:
        try:
            yield copy
        finally:
            copy.unlink()


@contextmanager
def _output(path: Path) -> Iterator[BinaryIO]:
    if path == _STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = path.absolute()
    claim_part(path)
    try:
        with part_of(path).open("wb") as out:
            yield out
        place(part_of(path), path)
    except BaseException:
        part_of(path).unlink(missing_ok=True)
        raise
