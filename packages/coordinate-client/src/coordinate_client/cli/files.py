"""The files that people write: work specs, and work units by the line."""

import gzip
import io
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Self

import click
from attrs import define

from coordinate_protocol.configuration import ConfigError, parse_yaml

__all__ = ["UnitFile", "read_map", "read_spec"]

Unit = tuple[str, dict[str, Any]]


def read_map(path: Path) -> dict[str, Any]:
    """Read a YAML or JSON file that holds a map.

    Raises:
        click.ClickException: it cannot be read, or holds something else.
    """
    try:
        value = parse_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"cannot read {str(path)!r}: {error}") from error
    except ConfigError as error:
        raise click.ClickException(f"{str(path)!r} is not YAML or JSON: {error}") from error
    if not isinstance(value, dict):
        raise click.ClickException(f"{str(path)!r} should hold a map, not {type(value).__name__}")
    return value


def read_spec(path: Path) -> dict[str, Any]:
    """Read a work spec.

    Raises:
        click.ClickException: it cannot be read, or has no ``name``.
    """
    spec = read_map(path)
    if not isinstance(spec.get("name"), str):
        raise click.ClickException(f"{str(path)!r} holds no work spec: it needs a 'name' (text)")
    return spec


@define
class UnitFile:
    """A file of work units, read as a stream.

    A line is a JSON object, key -> data, with one unit or more; empty lines and those that begin
    with ``#`` mean nothing.

    Arguments:
        name: for messages.
        raw: the bytes of the file as it lies on the disk.
        lines: the bytes of its lines, decompressed.
        size: how many bytes ``raw`` has, None where that is not known.
    """

    name: str
    raw: BinaryIO
    lines: BinaryIO
    size: int | None

    @classmethod
    def open(cls, path: str) -> Self:
        """Open a file: ``-`` for standard input, decompressed where the name ends in ``.gz``.

        Raises:
            click.ClickException: it cannot be read.
        """
        if path == "-":
            return cls("standard input", sys.stdin.buffer, sys.stdin.buffer, None)
        try:
            raw = Path(path).open("rb")  # noqa: SIM115 - __exit__ closes it
        except OSError as error:
            raise click.ClickException(f"cannot read {path!r}: {error.strerror}") from error
        lines = io.BufferedReader(gzip.GzipFile(fileobj=raw)) if path.endswith(".gz") else raw
        return cls(repr(path), raw, lines, os.fstat(raw.fileno()).st_size)

    @property
    def position(self) -> int:
        """How many bytes of ``raw`` were read; 0 where that is not known."""
        return 0 if self.size is None else self.raw.tell()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self.raw is not sys.stdin.buffer:
            self.lines.close()
            self.raw.close()

    def units(self) -> Iterator[tuple[Unit, int]]:
        """Yield each unit with the bytes of its line.

        Raises:
            click.ClickException: a line is not what it should be; the message has its number.
        """
        try:
            for number, line in enumerate(self.lines, 1):
                text = line.strip()
                if text and not text.startswith(b"#"):
                    yield from ((unit, len(text)) for unit in self._parsed(number, text))
        except (OSError, EOFError) as error:
            raise click.ClickException(f"cannot read {self.name}: {error}") from error

    def _parsed(self, number: int, text: bytes) -> list[Unit]:
        where = f"{self.name}, line {number}"
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise click.ClickException(f"{where}: not JSON: {error}") from error
        if not isinstance(found, dict):
            kind = type(found).__name__
            raise click.ClickException(f'{where}: should be an object {{"key": {{…}}}}, not {kind}')
        for key, data in found.items():
            if not isinstance(data, dict):
                raise click.ClickException(f"{where}: the data of {key!r} should be an object")
        return list(found.items())
