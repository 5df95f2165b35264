"""One result in three forms: JSON for ``--json``, a table on a terminal, plain text elsewhere."""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from coordinate_client.cli.session import Session

__all__ = ["as_json", "cell", "done", "name_of", "plain_value", "show", "show_document", "table"]


def name_of(key: object) -> str:
    """A key or name as text; in bytes, what is not UTF-8 shows as an escape."""
    return key.decode("utf-8", "backslashreplace") if isinstance(key, bytes) else str(key)


def plain_value(value: Any) -> Any:
    """The nearest value that JSON and YAML have: text for bytes and UUIDs, lists for tuples."""
    if isinstance(value, Mapping):
        return {name_of(key): plain_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | AbstractSet):
        return [plain_value(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return name_of(value)


def as_json(value: Any, *, indent: int | None = 4) -> str:
    """A value as one JSON document, keys in order.

    Arguments:
        value: anything that a server can send.
        indent: spaces for a level; None for one line.
    """
    return json.dumps(plain_value(value), indent=indent, sort_keys=True)


def show(
    session: Session,
    value: Any,
    plain: Callable[[], Iterable[str]],
    drawn: Callable[[], RenderableType] | None = None,
    *,
    wants_json: bool,
) -> None:
    """Write a result in the form that its reader wants.

    Arguments:
        session: says whether a person reads it.
        value: the whole result, for JSON.
        plain: gives its lines for a pipe.
        drawn: gives the table for a terminal; None where plain lines are good there, too.
        wants_json: ``--json`` was given.
    """
    if wants_json:
        click.echo(as_json(value))
    elif drawn is not None and session.on_terminal:
        Console(file=sys.stdout, highlight=False, force_terminal=True).print(drawn())
    else:
        for line in plain():
            click.echo(line)


def show_document(
    session: Session,
    value: Mapping[str, Any],
    drawn: Callable[[], RenderableType],
    *,
    wants_json: bool,
) -> None:
    """Write a result that is JSON in a pipe, too, because 0.1.5 wrote it so."""
    show(session, value, lambda: [as_json(value)], drawn, wants_json=wants_json)


def done(message: str, value: Mapping[str, Any], *, wants_json: bool) -> None:
    """Say that something was done: a line, or the same as JSON."""
    click.echo(as_json(value) if wants_json else message)


def cell(value: object, style: str = "") -> Text:
    """A value for a table; control characters show as escapes and do nothing to the terminal."""
    text = "" if value is None else name_of(value)
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
    return Text(shown, style=style)


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A table; columns whose title begins with ``#`` hold numbers and stand to the right.

    Arguments:
        columns: the titles.
        rows: a value for each column; None leaves it empty.
    """
    made = Table()
    for title in columns:
        made.add_column(title.removeprefix("#"), justify="right" if title[0] == "#" else "left")
    for row in rows:
        made.add_row(*(cell(value) for value in row))
    return made
