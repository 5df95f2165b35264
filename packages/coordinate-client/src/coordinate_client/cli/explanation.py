"""The commands that say why: ``explain`` and ``attempts``."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from coordinate_client.cli.options import json_option, pass_session
from coordinate_client.cli.output import cell, name_of, show, table
from coordinate_client.cli.reasons import reason_lines, unit_line
from coordinate_client.cli.session import Session

__all__ = ["COMMANDS", "attempts", "explain"]

COUNTED = ("available", "runnable", "pending", "blocked", "delayed", "finished", "failed")
TITLES = ("#Attempt", "Worker", "Began", "#Seconds", "Outcome", "Why")

Told = Mapping[str, Any]


@click.command("explain")
@click.argument("spec", required=False)
@click.argument("unit", required=False)
@click.option("--worker", "worker_id", metavar="ID", help="What this worker would get, and why.")
@click.option(
    "--gb", type=click.FloatRange(min=0), metavar="N", help="If the worker had N GB of memory."
)
@click.option(
    "-W",
    "--work-spec-name",
    "spec_names",
    multiple=True,
    metavar="NAME",
    help="If the worker asked for work of these only.",
)
@click.option(
    "--runtime", "runtimes", multiple=True, metavar="NAME", help="If the worker had only these."
)
@json_option
@pass_session
def explain(
    session: Session,
    spec: str | None,
    unit: str | None,
    worker_id: str | None,
    gb: float | None,
    spec_names: tuple[str, ...],
    runtimes: tuple[str, ...],
    *,
    wants_json: bool,
) -> None:
    """Say why work runs, or why it waits.

    The work of SPEC, or UNIT of it, or with --worker what a worker would get. The first line is the
    answer; then come the reasons, and what has to change first is first.
    """
    if (spec is None) == (worker_id is None):
        raise click.UsageError("say SPEC, SPEC UNIT, or --worker ID")
    master = session.task_master
    if worker_id is not None:
        told = master.explain_worker(worker_id, gb, spec_names or None, runtimes or None)
        lines = _worker_lines(told)
    elif gb is not None or spec_names or runtimes:
        raise click.UsageError("--gb, --work-spec-name and --runtime are about a --worker")
    elif unit is not None:
        told = master.explain_work_unit(str(spec), unit)
        lines = _unit_lines(told)
    else:
        told = master.explain_work_spec(str(spec))
        lines = _spec_lines(told)
    show(session, told, lambda: lines, wants_json=wants_json)


def _unit_lines(told: Told) -> Iterator[str]:
    yield cell(told["text"]).plain
    yield from reason_lines(told["reasons"], told["text"])


def _spec_lines(told: Told) -> Iterator[str]:
    counts = told["counts"]
    yield cell(told["text"]).plain
    yield f"  {', '.join(f'{counts.get(name, 0)} {name}' for name in COUNTED)}"
    if waiting := counts.get("waiting"):
        yield f"  waiting: {', '.join(f'{code} {count}' for code, count in waiting.items())}"
    yield from reason_lines(told["reasons"], told["text"])


def _worker_lines(told: Told) -> Iterator[str]:
    yield cell(told["text"]).plain
    for unit in told["holds"]:
        yield f"  holds {unit_line(unit)}"
    # Those that would come next stand first, in their order; the others as the server has them.
    for spec in sorted(told["specs"], key=lambda spec: spec.get("place") or len(told["specs"]) + 1):
        place = f"{spec['place']}. " if spec.get("place") else "-  "
        why = spec["reasons"][0]["text"] if spec["reasons"] else ""
        said = f": {cell(why).plain}" if why else ""
        yield f"{place}{cell(spec['work_spec_name']).plain}{said}"
        yield from reason_lines(spec["reasons"], why)


@click.command("attempts")
@click.argument("spec")
@click.argument("unit")
@json_option
@pass_session
def attempts(session: Session, spec: str, unit: str, *, wants_json: bool) -> None:
    """List who had UNIT of SPEC, when, and what came of it."""
    found = session.task_master.get_work_unit_attempts(spec, unit)
    rows = [_attempt_row(one) for one in found]
    drawn = (lambda: table(TITLES, rows)) if rows else None
    show(session, found, lambda: _attempt_lines(rows), drawn, wants_json=wants_json)


def _attempt_lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    if not rows:
        yield "no attempts"
    for row in rows:
        yield "  ".join(cell(value).plain for value in row if value)


def _attempt_row(one: Told) -> tuple[str, ...]:
    began, ended = one.get("began"), one.get("ended")
    return (
        str(one["attempt"]),
        name_of(one.get("worker_id") or "-"),
        "-" if began is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(began)),
        "-" if began is None or ended is None else f"{ended - began:.1f}",
        name_of(one["outcome"]),
        name_of(one.get("reason") or _last_line(one.get("traceback"))),
    )


def _last_line(traceback: Any) -> str:
    lines = name_of(traceback or "").strip().splitlines()
    return lines[-1].strip() if lines else ""


COMMANDS = (explain, attempts)
