"""``coordinated check``: is a data file sound, and what can be saved of one that is not."""

from pathlib import Path

import click

from coordinate_server.checking import CheckReport
from coordinate_server.checking import check as checked
from coordinate_server.commands.running import data_file, reported, shown_size
from coordinate_server.repairing import RepairReport
from coordinate_server.repairing import repair as repaired

__all__ = ["check"]


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@click.option(
    "--repair",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="DEST",
    help="Save what can be read to the new file DEST.",
)
@click.pass_context
@reported
def check(ctx: click.Context, file: Path | None, repair: Path | None) -> None:
    """Look through the data file, or FILE, that no server uses, without changing it.

    Exit code 0: it is sound. 1: it is damaged, or cannot be looked at.
    """
    path = data_file(ctx, file)
    if repair is None:
        report = checked(path)
        _tell(report)
    else:
        result = repaired(path, repair)
        report = result.found
        _tell(report)
        _tell_repair(result)
    ctx.exit(0 if report.is_sound else 1)


def _tell(report: CheckReport) -> None:
    click.echo(f"{report.path}: schema {report.schema}, {shown_size(report.size)}")
    click.echo(f"  {'journal':8} {report.records:>12,} records")
    for name, number in report.counts.items():
        click.echo(f"  {name:8} {number:>12,} rows")
    for fault in report.faults:
        click.echo(f"fault: {fault}")
    number = len(report.faults)
    click.echo("sound" if report.is_sound else f"DAMAGED: {number} fault{'s' * (number > 1)}")


def _tell_repair(result: RepairReport) -> None:
    for line in result.lost:
        click.echo(f"lost: {line}")
    units = result.counts["data"]
    click.echo(f"saved to {result.path}: {units:,} units of {result.counts['spec']:,} work specs")
