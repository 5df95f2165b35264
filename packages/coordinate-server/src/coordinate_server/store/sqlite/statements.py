"""The SQL of the stores: files in ``sql/``, in which each statement has a name."""

import re
from collections.abc import Mapping
from importlib import resources
from typing import Final

from coordinate_server.model.changes import TABLES

__all__ = ["read_script", "read_statements", "row_statements"]

_NAME: Final = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def read_script(name: str) -> str:
    """The text of ``sql/NAME.sql``."""
    return resources.files(__package__).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")


def read_statements(name: str, **places: str) -> Mapping[str, str]:
    """The statements of ``sql/NAME.sql``, each under a line ``-- name: NAME``.

    Args:
        name: of the file.
        places: what takes the place of ``{...}`` in it.

    Returns:
        The name of each statement -> its text.
    """
    _head, *parts = _NAME.split(read_script(name).format(**places))
    return {key: text.strip() for key, text in zip(parts[::2], parts[1::2], strict=True)}


def row_statements(value: str = "checked") -> Mapping[int, Mapping[str, str]]:
    """The statements about rows, for each table by its number.

    Args:
        value: what the column beside the key is called; before schema 5 it was another one.
    """
    return {
        number: read_statements("rows", table=name, value=value) for number, name in TABLES.items()
    }
