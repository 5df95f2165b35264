"""Commands on work units: ``work_units``, ``work_unit``, ``prioritize``, ``clear``."""

import pprint
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click

from coordinate_client.cli.options import (
    STATUSES,
    json_option,
    no_such_spec,
    pass_session,
    spec_options,
    status_option,
    watch_option,
)
from coordinate_client.cli.output import as_json, done, name_of, show, table
from coordinate_client.cli.said import said
from coordinate_client.cli.session import Session
from coordinate_client.cli.unit_details import Details, details, details_lines
from coordinate_client.cli.watching import Sight, follow

__all__ = ["COMMANDS", "MOST_BY_STATUS", "clear", "prioritize", "work_unit", "work_units"]

Unit = tuple[Any, Any]

PAGE = 1000
# By status, units come in order of priority, so there is no paging: a server gives no more.
MOST_BY_STATUS = 10_000


@click.command("work_units")
@spec_options
@click.option("-n", "--limit", type=click.IntRange(min=1), help="At most this many.")
@status_option
@click.option("--details", "wants_details", is_flag=True, help="Print the units' data, too.")
@watch_option
@json_option
@pass_session
def work_units(
    session: Session,
    spec_name: str,
    limit: int | None,
    status: str | None,
    *,
    wants_details: bool,
    wants_watch: bool,
    wants_json: bool,
) -> None:
    """List the work units of a work spec."""

    def look() -> Sight:
        found = sorted(_units(session, spec_name, status, limit), key=lambda unit: name_of(unit[0]))
        return _sight(spec_name, found, wants_details=wants_details)

    if wants_watch:
        follow(session, session.task_master, look, wants_json=wants_json)
    else:
        look().show(session, wants_json=wants_json)


def _sight(spec_name: str, found: list[Unit], *, wants_details: bool) -> Sight:
    keys = [name_of(key) for key, _data in found]
    value = {name_of(key): data for key, data in found} if wants_details else keys
    plain = (lambda: _detail_lines(found)) if wants_details else (lambda: keys)
    rows = [(key, as_json(data, indent=None)) if wants_details else (key,) for key, data in found]
    titles = ["Work unit", "Data"] if wants_details else ["Work unit"]
    topics = [{"work_spec_name": spec_name}]
    return Sight(value, value, topics, plain, lambda: table(titles, rows))


def _units(
    session: Session, spec_name: str, status: str | None, limit: int | None
) -> Iterable[Unit]:
    if status is None:
        return _all_units(session, spec_name, limit)
    found = session.task_master.get_work_units(
        spec_name, state=STATUSES[status], limit=min(limit or MOST_BY_STATUS, MOST_BY_STATUS)
    )
    if found is None:
        raise no_such_spec(spec_name)
    if len(found) == MOST_BY_STATUS:
        click.echo(f"coordinate: only the first {MOST_BY_STATUS} {status} units", err=True)
    return found


def _all_units(session: Session, spec_name: str, limit: int | None) -> Iterator[Unit]:
    start = None
    left = limit
    while left is None or left > 0:
        asked = PAGE if left is None else min(left, PAGE)
        page = session.task_master.get_work_units(spec_name, limit=asked, start=start)
        if page is None:
            raise no_such_spec(spec_name)
        yield from page
        if len(page) < asked:
            return
        left = None if left is None else left - len(page)
        start = _after(page[-1][0])


def _after(key: str | bytes) -> str | bytes:
    """The first key that can come after this one."""
    return key + b"\0" if isinstance(key, bytes) else key + "\0"


def _detail_lines(units: Iterable[Unit]) -> Iterator[str]:
    for key, data in units:
        if not data:
            yield f"{name_of(key)}: no info"
            continue
        traceback = data.get("traceback") if isinstance(data, dict) else None
        shown = {**data, "traceback": "displayed below"} if traceback else data
        yield f"{key!r}: {pprint.pformat(shown, indent=4)}"
        if traceback:
            yield name_of(traceback)


@click.command("work_unit")
@spec_options
@click.argument("unit", nargs=-1, required=True)
@watch_option
@json_option
@pass_session
def work_unit(
    session: Session, spec_name: str, unit: tuple[str, ...], *, wants_watch: bool, wants_json: bool
) -> None:
    """Print the status of each UNIT.

    With it go its expiry, its worker, what it needs, how often it failed, and why.
    """
    if wants_watch:
        look = lambda: _sight_of(session, spec_name, unit)  # noqa: E731 - one call
        follow(session, session.task_master, look, wants_json=wants_json)
        return
    found = {key: details(session, spec_name, key) for key in unit}
    missing = [key for key, told in found.items() if told is None]
    known = {key: told for key, told in found.items() if told is not None}
    lines = [line for key, told in known.items() for line in details_lines(key, told)]
    show(session, known, lambda: lines, wants_json=wants_json)
    if missing:
        raise click.ClickException(f"no such work unit {missing[0]!r} in {spec_name!r}")


def _sight_of(session: Session, spec_name: str, keys: Sequence[str]) -> Sight:
    """Some units; one that there is not may come, or come again."""
    found = {key: details(session, spec_name, key) for key in keys}
    lines = [line for key, told in found.items() for line in _lines(key, told)]
    return Sight(found, found, [{"work_spec_name": spec_name}], lambda: lines)


def _lines(key: str, told: Details | None) -> Iterator[str]:
    if told is None:
        yield f"{key}: no such work unit"
    else:
        yield from details_lines(key, told)


@click.command("prioritize")
@click.argument("spec")
@click.argument("unit", nargs=-1, required=True)
@json_option
@pass_session
def prioritize(session: Session, spec: str, unit: tuple[str, ...], *, wants_json: bool) -> None:
    """Have each UNIT of SPEC handed out before the others."""
    statuses = session.task_master.get_work_unit_status(spec, list(unit))
    if statuses is None or not session.task_master.prioritize_work_units(spec, list(unit)):
        raise no_such_spec(spec)
    missing = [key for key, found in zip(unit, statuses, strict=True) if found is None]
    if missing:
        raise click.ClickException(f"no such work unit {missing[0]!r} in {spec!r}")
    message = f"prioritized {len(unit)} work units of {spec!r}"
    done(message, {"work_spec": spec, "work_units": list(unit)}, wants_json=wants_json)


@click.command("clear")
@spec_options
@status_option
@click.option("--cascade", is_flag=True, help="And the units of any spec that wait for them.")
@click.argument("unit", nargs=-1)
@json_option
@pass_session
def clear(
    session: Session,
    spec_name: str,
    status: str | None,
    unit: tuple[str, ...],
    *,
    cascade: bool,
    wants_json: bool,
) -> None:
    """Remove work units from a work spec.

    Each UNIT, or with -s those in a status, or without either ALL of them; it does not ask. Nothing
    is removed where other units wait for one of them, unless --cascade is given.
    """
    # Unknown specs are told as such: 0 units removed would hide a slip of the pen.
    session.task_master.status(spec_name)
    with said() as messages:
        count = session.task_master.del_work_units(
            spec_name,
            work_unit_keys=list(unit) or None,
            state=None if status is None else STATUSES[status],
            all=status is None and not unit,
            cascade=cascade,
        )
    if not count and messages:
        raise click.ClickException(messages[-1])
    message = f"Removed {count} work units."
    done(message, {"work_spec": spec_name, "removed": count}, wants_json=wants_json)


COMMANDS = (work_units, work_unit, prioritize, clear)
