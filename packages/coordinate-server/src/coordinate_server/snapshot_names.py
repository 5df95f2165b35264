"""How snapshots are called: a path with the moment in its name, as 0.1.5 called them."""

import re
import time
from pathlib import Path
from typing import Final

from attrs import frozen

from coordinate_server.old_snapshots import COMPRESSED

__all__ = ["SnapshotNames"]

_FIELD: Final = "{timestamp}"
# What stands for the moment while a format is taken to pieces.
_MARK: Final = "\0"
_MOMENT: Final = r"[0-9]{8}_[0-9]{6}\.[0-9]{3}"
_PART: Final = ".part"


@frozen
class SnapshotNames:
    """The names that one format gives.

    Arguments:
        directory: where they all are.
        before: what each name begins with.
        after: what it ends with; ours leave the ending out that says how it is compressed.
    """

    directory: Path
    before: str
    after: str

    @classmethod
    def of(cls, path_format: str) -> "SnapshotNames":
        """Read a format as 0.1.5 does: ``{timestamp}`` is the moment, braces are doubled.

        Raises:
            ValueError: it is no such format, or has the moment elsewhere than once in the name.
        """
        try:
            text = path_format.format(timestamp=_MARK)
        except (LookupError, ValueError, AttributeError) as error:
            raise ValueError(f"{path_format!r} should have no other field than {_FIELD}") from error
        path = Path(text).expanduser().absolute()
        if text.count(_MARK) != 1 or _MARK not in path.name:
            raise ValueError(f"{path_format!r} should have {_FIELD} once, in the name of the file")
        before, after = path.name.split(_MARK)
        return cls(path.parent, before, after)

    @classmethod
    def inside(cls, directory: str) -> "SnapshotNames":
        """Give 0.1.5's names in a directory: ``snapshot_{timestamp}``."""
        return cls(Path(directory).expanduser().absolute(), "snapshot_", "")

    def path(self, wall: float) -> Path:
        """Give the name of the snapshot of a moment, seconds since 1970."""
        day = time.strftime("%Y%m%d_%H%M%S", time.gmtime(wall))
        return self.directory / f"{self.before}{day}.{int(wall % 1 * 1000):03d}{self._own_ending}"

    def found(self) -> list[Path]:
        """Give the files with such names that there are, the newest moment first.

        Raises:
            OSError: the directory cannot be read.
        """
        return self._matching(f"(?:{re.escape(self.after)}|{re.escape(self._own_ending)})")

    def interrupted(self) -> list[Path]:
        """Give what is left of those that were not finished, the newest moment first.

        Raises:
            OSError: the directory cannot be read.
        """
        return self._matching(re.escape(self._own_ending + _PART))

    def moment(self, path: Path) -> str:
        """Give the part of a name that says when."""
        found = re.match(re.escape(self.before) + f"({_MOMENT})", path.name)
        return found[1] if found else ""

    def matches(self, path: Path) -> bool:
        """Whether a file is called as a snapshot is."""
        return path.absolute().parent == self.directory and bool(self.moment(path))

    @property
    def _own_ending(self) -> str:
        stem, dot, ending = self.after.rpartition(".")
        return stem if f"{dot}{ending}".lower() in COMPRESSED else self.after

    def _matching(self, ending: str) -> list[Path]:
        pattern = re.compile(re.escape(self.before) + _MOMENT + ending)
        try:
            paths = [path for path in self.directory.iterdir() if pattern.fullmatch(path.name)]
        except FileNotFoundError:
            return []
        return sorted(paths, key=lambda path: (self.moment(path), path.name), reverse=True)
