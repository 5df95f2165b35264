"""A flow's document as it lies in a file: YAML or JSON, where no map has a key twice."""

import gc
import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from coordinate_client.flows.documents import read_flow
from coordinate_client.flows.parts import Flow

__all__ = ["FlowFile", "file_name"]

MERGE = "tag:yaml.org,2002:merge"
MOST_FAULTS = 100


class FlowFile:
    """A flow that was read from a file and holds nothing wrong.

    Attributes:
        name: for messages.
        document: the whole of it.
        flow: what it says.
    """

    def __init__(self, path: str) -> None:
        """Read and check a file.

        Args:
            path: `-` for standard input.

        Raises:
            click.ClickException: it cannot be read, or something in it is wrong; where there is
                more than one thing, they were told on standard error.
        """
        self.name = file_name(path)
        self.document, faults = _document(self.name, _text(self.name, path))
        if not isinstance(self.document.get("flows"), dict):
            raise click.ClickException(
                f"{self.name} holds no flow: it needs 'flows: {{name: spec}}'"
            )
        self.flow: Flow
        try:
            self.flow, more = read_flow(self.document)
        except RecursionError as error:
            raise click.ClickException(f"{self.name} is nested too deeply") from error
        self.refuse([*faults, *more])

    def refuse(self, faults: list[str]) -> None:
        """Raise the error that tells what is wrong; nothing where nothing is."""
        if len(faults) == 1:
            raise click.ClickException(f"{self.name}: {faults[0]}")
        for fault in faults[:MOST_FAULTS]:
            click.echo(f"coordinate: {' '.join(fault.split())}", err=True)
        if faults:
            raise click.ClickException(
                f"{self.name}: {len(faults)} errors: nothing was changed"
                + (f"; the first {MOST_FAULTS} are shown" if len(faults) > MOST_FAULTS else "")
            )


def file_name(path: str) -> str:
    """A file as messages name it."""
    return "standard input" if path == "-" else repr(path)


def _text(name: str, path: str) -> str:
    try:
        if path == "-":
            return sys.stdin.buffer.read().decode()
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"cannot read {name}: {error}") from error


def _document(name: str, text: str) -> tuple[dict[Any, Any], list[str]]:
    """The map that a text holds, and a line for each key that one of its maps has twice."""
    yaml = importlib.import_module("yaml")
    # libyaml's is several times as fast; PyYAML can be without it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        with _without_collector():
            node = loader.get_single_node()
            faults = [] if node is None else [text for _, text in sorted(_twice(node))]
            value = None if node is None else loader.construct_document(node)
    except yaml.YAMLError as error:
        raise click.ClickException(f"{name} is not YAML or JSON: {error}") from error
    except RecursionError as error:
        raise click.ClickException(f"{name} is nested too deeply") from error
    except ValueError as error:
        # PyYAML takes 2026-99-99 for a date, and lets the calendar complain.
        raise click.ClickException(f"{name} holds a value that is none: {error}") from error
    finally:
        loader.dispose()
    if not isinstance(value, dict):
        raise click.ClickException(f"{name} should hold a map, not {type(value).__name__}")
    return value, faults


def _twice(root: Any) -> Iterator[tuple[int, str]]:
    """Look for keys that a map has twice: YAML's loaders take the last of them without a word.

    Each is told with the number of its line.

    This is done before values are made, which is when `<<` puts more keys into a map.
    """
    left, seen = [root], set()
    while left:
        node = left.pop()
        if not isinstance(node.value, list) or id(node) in seen:
            continue
        seen.add(id(node))
        if node.id == "sequence":
            left.extend(node.value)
            continue
        lines: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            left.append(value)
            if key.id != "scalar" or key.tag == MERGE:
                continue
            line, name = key.start_mark.line + 1, (key.tag, key.value)
            if name in lines:
                text = f"key {key.value!r} is there twice, on line {lines[name]} too"
                yield line, f"line {line}: {text}"
            lines[name] = line


@contextmanager
def _without_collector() -> Iterator[None]:
    """Hold Python's collector off, which would go through a million nodes again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
