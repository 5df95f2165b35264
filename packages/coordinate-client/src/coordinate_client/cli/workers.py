"""Commands on workers: ``workers``, ``worker_stats``, ``run_one``."""

import sys
from collections.abc import Iterator
from typing import Any

import click
from rich.table import Table

from coordinate_client.cli.options import json_option, pass_session
from coordinate_client.cli.output import done, name_of, show, table
from coordinate_client.cli.session import Session
from coordinate_client.worker import SingleWorker
from coordinate_protocol.configuration import install_config

__all__ = ["COMMANDS", "run_one", "worker_stats", "workers"]

Told = dict[str, dict[str, Any]]


@click.command("workers")
@click.option("--all", "everyone", is_flag=True, help="Those that are gone, too.")
@click.option("--details", "wants_details", is_flag=True, help="What their heartbeats say.")
@json_option
@pass_session
def workers(session: Session, *, everyone: bool, wants_details: bool, wants_json: bool) -> None:
    """List the workers that the server knows."""
    modes = session.task_master.workers(alive=not everyone)
    told: Told = {name_of(one): {"mode": modes[one]} for one in sorted(modes, key=name_of)}
    if wants_details:
        for one in modes:
            told[name_of(one)]["heartbeat"] = session.task_master.get_heartbeat(one) or {}
    show(
        session,
        told,
        lambda: _worker_lines(told),
        None if wants_details else lambda: _worker_table(told),
        wants_json=wants_json,
    )


def _worker_lines(told: Told) -> Iterator[str]:
    for worker_id, one in told.items():
        yield f"{worker_id} ({name_of(one['mode'])})"
        for name, value in one.get("heartbeat", {}).items():
            yield f"  {name_of(name)}: {value}"


def _worker_table(told: Told) -> Table:
    return table(["Worker", "Mode"], ((worker_id, one["mode"]) for worker_id, one in told.items()))


@click.command("worker_stats")
@json_option
@pass_session
def worker_stats(session: Session, *, wants_json: bool) -> None:
    """Count the workers that the server knows."""
    stats = session.task_master._rpc("worker_stats", [])  # noqa: SLF001 - no method has it
    rows = sorted((name_of(name), number) for name, number in stats.items())
    show(
        session,
        stats,
        lambda: [repr(stats)],
        lambda: table(["Workers", "#Number"], rows),
        wants_json=wants_json,
    )


@click.command("run_one")
@click.option(
    "--from-work-spec", "spec_names", multiple=True, metavar="NAME", help="Only of these."
)
@click.option(
    "--limit-seconds",
    type=click.IntRange(min=0),
    metavar="N",
    help="Go on, but begin none after N s.",
)
@click.option(
    "--limit-count", type=click.IntRange(min=1), metavar="N", help="Go on until N fetches were run."
)
@click.option("--max-jobs", type=click.IntRange(min=1), metavar="N", help="Fetch N at once.")
@json_option
@pass_session
@click.pass_context
def run_one(
    ctx: click.Context,
    session: Session,
    spec_names: tuple[str, ...],
    limit_seconds: int | None,
    limit_count: int | None,
    max_jobs: int | None,
    *,
    wants_json: bool,
) -> None:
    """Run work units in this process, one unless told otherwise.

    Without a limit it runs what one fetch brings. With one it goes on until the limit is reached;
    exit code 2 says that the work ran out before.
    """
    if config := session.config():
        # The units' own code finds the application's configuration where it always did.
        install_config(config)
    # What a job needs may lie where the command is given, as with "python script.py".
    sys.path.insert(0, "")
    worker = SingleWorker(session.block(), session.task_master, list(spec_names) or None, max_jobs)
    worker.register()
    try:
        runs, bored = _run(session, worker, limit_seconds, limit_count)
    finally:
        worker.unregister()
    if wants_json:
        done("", {"runs": runs, "bored": bored}, wants_json=True)
    ctx.exit(worker.EXIT_BORED if bored else worker.EXIT_SUCCESS)


def _run(
    session: Session, worker: SingleWorker, limit_seconds: int | None, limit_count: int | None
) -> tuple[int, bool]:
    """Run until a limit is reached, once without one; how often, and whether work ran out."""
    started = session.clock()
    runs = 0
    while worker.run():
        runs += 1
        if limit_seconds is None and limit_count is None:
            return runs, False
        if limit_count is not None and runs >= limit_count:
            return runs, False
        if limit_seconds is not None and session.clock() - started >= limit_seconds:
            return runs, False
    return runs, True


COMMANDS = (workers, worker_stats, run_one)
