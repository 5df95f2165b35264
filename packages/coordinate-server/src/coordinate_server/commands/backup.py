"""``coordinated backup`` and ``coordinated restore``: copies of a data file, both ways."""

from pathlib import Path

import click

from coordinate_server.backups import copy_file
from coordinate_server.commands.running import data_file, data_option, reported, shown_size
from coordinate_server.control_client import NoServer, backup_by_server
from coordinate_server.store.sqlite.placing import refuse_existing

__all__ = ["backed_up", "backup", "restore"]


@click.command()
@click.argument("dest", type=click.Path(dir_okay=False, path_type=Path))
@data_option
@click.pass_context
@reported
def backup(ctx: click.Context, dest: Path, data: Path | None) -> None:
    """Copy the data file to the new file DEST, also while a server runs.

    All that was acknowledged before is in the copy. A running server writes it itself.
    """
    size, units = backed_up(data_file(ctx, data), dest.absolute())
    click.echo(f"backup in {dest}: {shown_size(size)}, {units:,} units")


def backed_up(path: Path, dest: Path) -> tuple[int, int]:
    """Have the running server copy its file, or copy the file of none.

    Returns:
        The size of the copy in bytes, and how many units it has.

    Raises:
        StoreError: there is no copy; nothing is left of it.
    """
    try:
        return backup_by_server(path, dest)
    except NoServer:
        return copy_file(path, dest)


@click.command()
@click.argument("source", metavar="BACKUP", type=click.Path(dir_okay=False, path_type=Path))
@data_option
@click.pass_context
@reported
def restore(ctx: click.Context, source: Path, data: Path | None) -> None:
    """Make the data file out of BACKUP, which is checked first.

    There must be no data file: move the one that is there away, together with its log.
    """
    path = data_file(ctx, data)
    refuse_existing(path)
    size, units = copy_file(source, path)
    click.echo(f"restored to {path}: {shown_size(size)}, {units:,} units")
