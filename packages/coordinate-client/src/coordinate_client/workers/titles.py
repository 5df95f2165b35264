"""The title of a process, as `ps` shows it: what it runs."""

from collections.abc import Callable
from functools import cache

__all__ = ["set_title", "show_unit"]


@cache
def _setter() -> Callable[[str], None]:
    try:
        from setproctitle import setproctitle
    except ImportError:
        return _no_title
    found: Callable[[str], None] = setproctitle
    return found


def _no_title(title: str) -> None:
    """Do nothing: setproctitle is not installed."""


def set_title(title: str) -> None:
    """Have `ps` show a title, where setproctitle is installed."""
    # A title ends at a zero byte, and no terminal should obey to what is in a key.
    _setter()(title if title.isprintable() else ascii(title))


def show_unit(work_spec_name: str, key: str | bytes) -> None:
    """Have `ps` show the unit that runs."""
    name = key if isinstance(key, str) else key.decode(errors="backslashreplace")
    set_title(f"coordinate_worker: {work_spec_name} {name}")
