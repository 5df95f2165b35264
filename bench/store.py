"""Commits and changes per second of each store alone, in groups of 1, 10 and 100 changes.

Each group is one commit: units get their state and their data in turn, some 300 bytes a change,
and in the end their rows are written, in slices, within the time that is measured. The durable
store syncs every commit, so that its figures are those of the disk under ``--directory``.
"""

import argparse
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

from coordinate_server.model.changes import DATA, PUT, UNIT, Change
from coordinate_server.store import Store, open_store

GROUPS: Final = (1, 10, 100)
VALUE: Final = bytes(range(256))
SLICE_ROWS: Final = 500


def groups(size: int) -> Iterator[list[Change]]:
    """Groups of changes without end: new units, each with a row of state and one of data."""
    spec = (1).to_bytes(8, "big")
    for first in count(0, size):
        yield [
            (PUT, DATA if number % 2 else UNIT, spec + b"unit-%012d" % (number // 2), VALUE)
            for number in range(first, first + size)
        ]


def commits_per_second(store: Store, size: int, seconds: float) -> float:
    """Commit groups for some seconds, settle what waits then, and say how many it was a second."""
    begin = time.perf_counter()
    done = 0
    for changes in groups(size):
        store.commit(changes)
        done += 1
        if time.perf_counter() - begin >= seconds:
            break
    while store.settle(SLICE_ROWS):
        pass
    return done / (time.perf_counter() - begin)


def measure_store(path: Path | None, size: int, seconds: float) -> dict[str, object]:
    """One row of the result."""
    store = open_store(path)
    try:
        rate = commits_per_second(store, size, seconds)
    finally:
        store.close()
    return {
        "store": "memory" if path is None else "sqlite",
        "changes in a commit": size,
        "commits/s": rate,
        "changes/s": rate * size,
    }


def measure(seconds: float, directory: Path | None = None) -> list[dict[str, object]]:
    """Measure both stores with every size of group.

    Args:
        seconds: how long each of the six measurements commits.
        directory: where the data files are made; None for that of temporary files.

    Returns:
        A dict for each store and size: what was measured, then the two rates.
    """
    with tempfile.TemporaryDirectory(prefix="coordinate-bench-", dir=directory) as folder:
        return [
            measure_store(path, size, seconds)
            for name in (None, "sqlite")
            for size in GROUPS
            for path in [None if name is None else Path(folder, f"{name}-{size}.db")]
        ]


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds for one measurement")
    parser.add_argument("--directory", type=Path, help="where the data files are made")
    asked = parser.parse_args()
    rows = measure(asked.seconds, asked.directory)
    print("".join(f"{head:>22}" for head in rows[0]))
    for row in rows:
        cells = (f"{v:,.0f}" if isinstance(v, float) else str(v) for v in row.values())
        print("".join(f"{cell:>22}" for cell in cells))


if __name__ == "__main__":
    main()
