"""Paths of locks among the arguments of a command."""

from collections.abc import Sequence
from typing import Any

import click

from coordinate_client.paths import Path
from coordinate_client.written_paths import path_text, read_path

__all__ = ["LockPath", "check_apart"]


def check_apart(paths: Sequence[Path]) -> None:
    """Refuse paths that cannot be locked together.

    Raises:
        click.UsageError: one is there twice, or under another.
    """
    seen = set(paths)
    if len(seen) < len(paths):
        twice = next(path for path in paths if paths.count(path) > 1)
        raise click.UsageError(f"path {path_text(twice)} is there twice")
    for path in paths:
        for length in range(1, len(path)):
            if path[:length] in seen:
                above = path_text(path[:length])
                raise click.UsageError(f"{path_text(path)} is under {above}: leave it out")


class LockPath(click.ParamType):  # type: ignore[type-arg]  # not generic in click 8.1
    """A path among the arguments of a command."""

    name = "path"

    def __init__(self, *, may_be_everything: bool = False) -> None:
        """Choose what may be given.

        Arguments:
            may_be_everything: whether it may have no parts.
        """
        self.may_be_everything = may_be_everything

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Read what was written.

        Raises:
            click.BadParameter: it is no path.
        """
        try:
            path = read_path(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if not path and not self.may_be_everything:
            self.fail(f"path {value!r} has no parts: /index/shard/3 is one", param, ctx)
        return path
