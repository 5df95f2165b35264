"""Commands on work units: ``work_units``, ``work_unit``, ``prioritize``, ``retry``, ``clear``."""

import pprint
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import click
from attrs import define, field

from coordinate_client.cli.options import (
    STATUSES,
    json_option,
    no_such_spec,
    pass_session,
    spec_options,
    status_option,
)
from coordinate_client.cli.output import as_json, done, name_of, show, table
from coordinate_client.cli.said import said
from coordinate_client.cli.session import Session
from coordinate_client.cli.unit_details import details, details_lines

__all__ = ["COMMANDS", "clear", "prioritize", "retry", "work_unit", "work_units"]

Unit = tuple[Any, Any]

PAGE = 1000
# By status, units come in order of priority, so there is no paging: a server gives no more.
MOST_BY_STATUS = 10_000
EVERY_SPEC = "-"


@click.command("work_units")
@spec_options
@click.option("-n", "--limit", type=click.IntRange(min=1), help="At most this many.")
@status_option
@click.option("--details", "wants_details", is_flag=True, help="Print the units' data, too.")
@json_option
@pass_session
def work_units(
    session: Session,
    spec_name: str,
    limit: int | None,
    status: str | None,
    *,
    wants_details: bool,
    wants_json: bool,
) -> None:
    """List the work units of a work spec."""
    found = sorted(_units(session, spec_name, status, limit), key=lambda unit: name_of(unit[0]))
    keys = [name_of(key) for key, _data in found]
    value = {name_of(key): data for key, data in found} if wants_details else keys
    plain = (lambda: _detail_lines(found)) if wants_details else (lambda: keys)
    rows = [(key, as_json(data, indent=None)) if wants_details else (key,) for key, data in found]
    titles = ["Work unit", "Data"] if wants_details else ["Work unit"]
    show(session, value, plain, lambda: table(titles, rows), wants_json=wants_json)


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
@json_option
@pass_session
def work_unit(session: Session, spec_name: str, unit: tuple[str, ...], *, wants_json: bool) -> None:
    """Print the status of each UNIT.

    With it go its expiry, its worker, what it needs, how often it failed, and why.
    """
    found = {key: details(session, spec_name, key) for key in unit}
    missing = [key for key, told in found.items() if told is None]
    known = {key: told for key, told in found.items() if told is not None}
    lines = [line for key, told in known.items() for line in details_lines(key, told)]
    show(session, known, lambda: lines, wants_json=wants_json)
    if missing:
        raise click.ClickException(f"no such work unit {missing[0]!r} in {spec_name!r}")


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


@define
class Retried:
    """What ``retry`` did.

    Arguments:
        delay: seconds until the units are available; None for at once.
        count: how many units were given to it again.
        unknown: those that were named and are not units of the spec.
        refused: why others could not be retried, by spec and key.
    """

    delay: float | None = None
    count: int = 0
    unknown: list[str] = field(factory=list)
    refused: dict[tuple[str, Any], str] = field(factory=dict)

    def message(self) -> str:
        """The line for people; 0.1.5's words."""
        if not self.count:
            return "Nothing to do."
        return f"Retried {self.count} work unit{'' if self.count == 1 else 's'}."


@click.command("retry")
@spec_options
@click.option("-a", "--all", "everything", is_flag=True, help="Every failed unit.")
@click.option(
    "--delay", type=click.FloatRange(min=0), metavar="SECONDS", help="Not before so many seconds."
)
@click.argument("unit", nargs=-1)
@json_option
@pass_session
def retry(
    session: Session,
    spec_name: str,
    unit: tuple[str, ...],
    delay: float | None,
    *,
    everything: bool,
    wants_json: bool,
) -> None:
    """Make work units available again.

    Each UNIT, or with -a all failed ones. "-W -" means every work spec. One that needs other units
    waits for them.
    """
    if unit and everything:
        raise click.UsageError("say UNIT … or -a, not both")
    if not unit and not everything:
        raise click.UsageError("say which: UNIT …, or -a for all failed ones")
    retried = Retried(delay)
    for name in _spec_names(session, spec_name):
        if everything:
            _retry_all(session, name, retried)
        else:
            _retry_named(session, name, unit, retried)
    if everything:
        # One that another had to be retried for waits for that now, or was removed meanwhile.
        retried.unknown.clear()
        _forget_those_not_failed(session, retried)
    _tell_retried(retried, wants_json=wants_json)


def _tell_retried(retried: Retried, *, wants_json: bool) -> None:
    refused = {name_of(key): reason for (_spec, key), reason in retried.refused.items()}
    value = {"retried": retried.count, "unknown": retried.unknown, "refused": refused}
    if retried.count or not (retried.unknown or refused) or wants_json:
        done(retried.message(), value, wants_json=wants_json)
    if retried.unknown:
        names = ", ".join(repr(key) for key in retried.unknown)
        raise click.ClickException(f"no such work unit {names}")
    if refused:
        key, reason = next(iter(refused.items()))
        more = f" ({len(refused)} in all)" if len(refused) > 1 else ""
        raise click.ClickException(f"work unit {key!r} cannot be retried{more}: {reason}")


def _spec_names(session: Session, spec_name: str) -> list[str]:
    if spec_name != EVERY_SPEC:
        # An unknown spec is an error also where nothing has failed.
        session.task_master.status(spec_name)
        return [spec_name]
    return [spec["name"] for spec in session.task_master.iter_work_specs()]


def _retry_all(session: Session, spec_name: str, retried: Retried) -> None:
    """Retry every failed unit once: one that fails again meanwhile stays failed."""
    tried: set[Any] = set()
    while keys := [key for key in _failed(session, spec_name) if key not in tried]:
        tried.update(keys)
        _retry_named(session, spec_name, keys, retried)


def _forget_those_not_failed(session: Session, retried: Retried) -> None:
    for spec_name in {name for name, _key in retried.refused}:
        keys = [key for name, key in retried.refused if name == spec_name]
        found = session.task_master.get_work_unit_status(spec_name, keys) or [None] * len(keys)
        for key, status in zip(keys, found, strict=True):
            if status is None or status["status"] != STATUSES["failed"]:
                del retried.refused[spec_name, key]


def _failed(session: Session, spec_name: str) -> list[Any]:
    state = STATUSES["failed"]
    found = session.task_master.get_work_units(spec_name, state=state, limit=MOST_BY_STATUS)
    return [key for key, _data in found or []]


def _retry_named(session: Session, spec_name: str, keys: Sequence[Any], retried: Retried) -> None:
    """Retry these units, whatever their status, and note those that cannot be, and why."""
    for key in keys:
        with said() as messages:
            could = session.task_master.retry(spec_name, key, delay=retried.delay)
        if could:
            retried.count += 1
        elif messages and not messages[-1].startswith("no such"):
            retried.refused[spec_name, key] = messages[-1]
        else:
            retried.unknown.append(name_of(key))


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


COMMANDS = (work_units, work_unit, prioritize, retry, clear)
