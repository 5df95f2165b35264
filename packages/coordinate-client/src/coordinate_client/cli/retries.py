"""The command ``retry``: units that are made available again."""

from collections.abc import Sequence
from typing import Any

import click
from attrs import define, field

from coordinate_client.cli.options import STATUSES, json_option, pass_session, spec_options
from coordinate_client.cli.output import done, name_of
from coordinate_client.cli.said import said
from coordinate_client.cli.session import Session
from coordinate_client.cli.units import MOST_BY_STATUS

__all__ = ["COMMANDS", "retry"]

EVERY_SPEC = "-"


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


COMMANDS = (retry,)
