"""The commands that ask something of workers: ``cancel`` and ``mode``."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import click

from coordinate_client.cli.options import STATUSES, json_option, no_such_spec, pass_session
from coordinate_client.cli.output import cell, done, name_of, show
from coordinate_client.cli.session import Session
from coordinate_client.cli.units import MOST_BY_STATUS
from coordinate_client.exceptions import NoSuchWorkSpecError
from coordinate_protocol.constants import IDLE, RUN, TERMINATE

__all__ = ["COMMANDS", "cancel", "mode"]

_RESULTS = ("cancelled", "asked", "ended")


@click.command("cancel")
@click.argument("spec", metavar="SPEC")
@click.argument("unit", nargs=-1)
@click.option("-a", "--all", "everything", is_flag=True, help="Every unit that is pending.")
@click.option("--reason", metavar="TEXT", help="Why; people read it with the failed unit.")
@click.option(
    "--now", is_flag=True, help="Take them away at once; their workers are not waited for."
)
@json_option
@pass_session
def cancel(
    session: Session,
    spec: str,
    unit: tuple[str, ...],
    reason: str | None,
    *,
    everything: bool,
    now: bool,
    wants_json: bool,
) -> None:
    """Fail work units that nobody is to work on any more.

    They are not tried again. One that a worker has is ended by it, at once where it can be told.
    """
    if unit and everything:
        raise click.UsageError("say UNIT … or -a, not both")
    if not unit and not everything:
        raise click.UsageError("say which: UNIT …, or -a for all pending ones")
    keys = _pending(session, spec) if everything else list(unit)
    try:
        results = session.task_master.cancel(spec, *keys, reason=reason, now=now)
    except NoSuchWorkSpecError as error:
        raise no_such_spec(spec) from error
    _tell(dict(zip(map(name_of, keys), results, strict=True)), wants_json=wants_json)


def _pending(session: Session, spec: str) -> list[Any]:
    state = STATUSES["pending"]
    found = session.task_master.get_work_units(spec, state=state, limit=MOST_BY_STATUS)
    if found is None:
        raise no_such_spec(spec)
    if len(found) == MOST_BY_STATUS:
        click.echo(f"coordinate: the first {MOST_BY_STATUS:,}; there may be more", err=True)
    return [key for key, _data in found]


def _tell(results: dict[str, str], *, wants_json: bool) -> None:
    unknown = [key for key, result in results.items() if result == "unknown"]
    counts = Counter(results.values())
    lines = [_sentence(result, counts[result]) for result in _RESULTS if counts[result]]
    if lines or not unknown or wants_json:
        done("\n".join(lines) or "Nothing to do.", results, wants_json=wants_json)
    if unknown:
        names = ", ".join(repr(key) for key in unknown)
        raise click.ClickException(f"no such work unit {names}")


def _sentence(result: str, number: int) -> str:
    units = f"{number} work unit{'' if number == 1 else 's'}"
    if result == "cancelled":
        return f"Cancelled {units}."
    if result == "ended":
        return f"{units} had ended before."
    whose = "is to be ended by its worker" if number == 1 else "are to be ended by their workers"
    return f"{units} {whose}."


@click.command("mode")
@click.argument(
    "wanted",
    metavar="[MODE]",
    required=False,
    type=click.Choice([RUN, IDLE, TERMINATE], case_sensitive=False),
)
@click.option("--worker", "worker_ids", multiple=True, metavar="ID", help="Ask this worker.")
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="Ask all workers there.")
@click.option("--all", "everyone", is_flag=True, help="Ask all workers.")
@json_option
@pass_session
def mode(
    session: Session,
    wanted: str | None,
    worker_ids: tuple[str, ...],
    hosts: tuple[str, ...],
    *,
    everyone: bool,
    wants_json: bool,
) -> None:
    """Ask workers to run, to rest, or to end.

    RUN: take work. IDLE: finish what runs, take no more, stay. TERMINATE: finish what runs, then
    exit. Without MODE it tells what is asked of whom.

    What is asked of a worker counts before what is asked of its parent, that before what is asked
    of its host, and that before what is asked of all. Hosts, and all, are asked until they are
    asked for something else, workers that come later included.
    """
    named = bool(worker_ids or hosts or everyone)
    if wanted is None:
        if named:
            raise click.UsageError("say what is asked of them: RUN, IDLE or TERMINATE")
        _show_asked(session, wants_json=wants_json)
        return
    if not named:
        raise click.UsageError("say who is asked: --worker ID, --host HOST or --all")
    number = session.task_master.set_modes(wanted, worker_ids, hosts, everyone)
    found = f"{number} worker{'' if number == 1 else 's'}"
    done(
        f"Asked {found} to {_WORDS[wanted]}.",
        {"mode": wanted, "workers": number},
        wants_json=wants_json,
    )


_WORDS = {RUN: "run", IDLE: "take no more work", TERMINATE: "end when they are done"}


def _show_asked(session: Session, *, wants_json: bool) -> None:
    asked = session.task_master.asked_modes()
    show(session, asked, lambda: _asked_lines(asked), wants_json=wants_json)


def _asked_lines(asked: dict[str, Any]) -> Iterator[str]:
    everyone = asked.get("all")
    yield f"all: {RUN if everyone is None else everyone}"
    for kind, title in (("hosts", "host"), ("workers", "worker")):
        for name, wanted in sorted(asked.get(kind, {}).items()):
            yield f"{title} {cell(name).plain}: {wanted}"


COMMANDS = (cancel, mode)
