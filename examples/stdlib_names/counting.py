"""Which names a Python file uses: plain functions, for the workers and for checking them."""

import ast
import sysconfig
import tokenize
import warnings
from collections import Counter
from pathlib import Path

__all__ = ["NotParsed", "library_files", "names_used", "package_of"]

# Not of the standard library, but installed below it.
OTHERS = {"site-packages", "dist-packages", "__pycache__"}


class NotParsed(Exception):
    """A file that is not Python of this version; the standard library tests itself with such."""


def library_files() -> dict[str, Path]:
    """Every .py file of the running Python's standard library: path below it -> path."""
    root = Path(sysconfig.get_path("stdlib"))
    found = (path.relative_to(root) for path in root.rglob("*.py"))
    names = sorted(path.as_posix() for path in found if OTHERS.isdisjoint(path.parts))
    return {name: root / name for name in names}


def package_of(name: str) -> str:
    """The top-level package or module of a file: json of json/decoder.py, abc of abc.py."""
    return name.partition("/")[0].removesuffix(".py")


def names_used(path: Path) -> Counter[str]:
    """Count the names that a file reads, such as ``len`` and ``self``; not those it assigns to.

    Raises:
        NotParsed: the file is not Python of this version.
    """
    try:
        with tokenize.open(path) as file:
            source = file.read()
        with warnings.catch_warnings():
            # What an old file does wrong, "\d" in a string for instance, is not our subject.
            warnings.simplefilter("ignore")
            tree = ast.parse(source, path)
    except (SyntaxError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise NotParsed(f"{type(error).__name__}: {error}") from error
    nodes = (node for node in ast.walk(tree) if isinstance(node, ast.Name))
    return Counter(node.id for node in nodes if isinstance(node.ctx, ast.Load))
