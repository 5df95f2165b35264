"""Commands on workers: ``workers``, ``worker_stats``, ``run_one``."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import click
from rich.table import Table

from coordinate_client.cli.fleet import TITLES, fleet_lines, fleet_rows
from coordinate_client.cli.options import json_option, pass_session
from coordinate_client.cli.output import done, name_of, show, table
from coordinate_client.cli.session import Session
from coordinate_client.exceptions import Unsupported
from coordinate_client.worker import SingleWorker
from coordinate_protocol.configuration import install_config

__all__ = ["COMMANDS", "run_one", "worker_stats", "workers"]

Told = dict[str, dict[str, Any]]

_PACKAGES_SECONDS, _LOOK_SECONDS = 5.0, 0.1
_SHOWN = ("parent", "host", "asked", "age_seconds", "expires_in", "units", "units_count")


@click.command("workers")
@click.option("--all", "everyone", is_flag=True, help="Those that are gone, too.")
@click.option("--details", "wants_details", is_flag=True, help="What their heartbeats say.")
@click.option(
    "--packages", "wants_packages", is_flag=True, help="The same, with what is installed there."
)
@click.option("--tree", "wants_tree", is_flag=True, help="What each runs, in a pipe, too.")
@json_option
@pass_session
def workers(
    session: Session,
    *,
    everyone: bool,
    wants_details: bool,
    wants_packages: bool,
    wants_tree: bool,
    wants_json: bool,
) -> None:
    """List the workers that the server knows.

    On a terminal, and with --tree, also what each of them runs, since when, how far it is, and how
    much of its lease is left.
    """
    wants_details |= wants_packages
    if wants_details and wants_tree:
        raise click.UsageError("say --tree or --details, not both")
    modes = session.task_master.workers(alive=not everyone)
    if wants_packages:
        _await_packages(session, modes)
    told: Told = {name_of(one): {"mode": modes[one]} for one in sorted(modes, key=name_of)}
    if wants_details:
        for one in modes:
            told[name_of(one)]["heartbeat"] = session.task_master.get_heartbeat(one) or {}
    looks = wants_tree or wants_json or (session.on_terminal and not wants_details)
    fleet = _fleet(session) if looks else None
    if fleet is not None:
        _add_fleet(told, fleet)
    now = session.clock()
    show(
        session,
        told,
        lambda: fleet_lines(fleet, now) if fleet and wants_tree else _worker_lines(told),
        None if wants_details else lambda: _worker_table(told, fleet, now),
        wants_json=wants_json,
    )


def _await_packages(session: Session, worker_ids: Iterable[str]) -> None:
    """Have workers say what is installed, and wait for that a while."""
    waiting = list(worker_ids)
    session.task_master.request_packages(waiting)
    until = session.timer() + _PACKAGES_SECONDS
    while waiting and session.timer() < until:
        told = {one: session.task_master.get_heartbeat(one) for one in waiting}
        # A child says nothing by itself: its parent is where it is, and says it.
        waiting = [one for one, said in told.items() if _owes_packages(said)]
        if waiting:
            session.sleep(_LOOK_SECONDS)


def _owes_packages(said: Mapping[str, Any]) -> bool:
    return bool(said) and "packages" not in said and said.get("parent") is None


def _fleet(session: Session) -> list[dict[str, Any]] | None:
    """All workers with what they run; None where the server tells of modes alone."""
    try:
        return session.task_master.list_workers()
    except Unsupported:
        return None


def _add_fleet(told: Told, fleet: Iterable[Mapping[str, Any]]) -> None:
    """Add what is known of each worker, apart from what it said itself."""
    for worker in fleet:
        one = told.setdefault(name_of(worker["worker_id"]), {"mode": worker["mode"]})
        one.update({name: worker[name] for name in _SHOWN if name in worker})


def _worker_lines(told: Told) -> Iterator[str]:
    for worker_id, one in told.items():
        yield f"{worker_id} ({name_of(one['mode'])})"
        for name, value in one.get("heartbeat", {}).items():
            yield f"  {name_of(name)}: {value}"


def _worker_table(told: Told, fleet: Sequence[Mapping[str, Any]] | None, now: float) -> Table:
    if fleet is not None:
        return table(TITLES, fleet_rows(fleet, now))
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
