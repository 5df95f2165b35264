"""A process that commits to the data file it is given and says so, until it is killed.

``committing.py FILE [BYTES]``: prints the number of each commit once it has returned. With BYTES,
no file may grow beyond that size; the first commit that fails is printed as such, and is the last.
"""

import resource
import signal
import sys
from itertools import count
from pathlib import Path

from coordinate_server.model.changes import META, PUT, UNIT
from coordinate_server.store import CommitError, SqliteStore, StoreError

PADDING = bytes(500)


def say(text):
    """Print a line that is out before the next commit begins."""
    print(text, flush=True)  # noqa: T201 - what this process says is its result


def limit_files(size):
    """Let writes beyond the size fail, with an error in place of a signal."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def main():
    """Commit, each time one row of its own and one that they share."""
    store = SqliteStore(Path(sys.argv[1]), backlog_rows=20)
    if len(sys.argv) > 2:
        limit_files(int(sys.argv[2]))
    for number in count(1):
        key = number.to_bytes(8, "big")
        try:
            store.commit([(PUT, UNIT, key, PADDING), (PUT, META, b"last", key)])
        except CommitError:
            say("failed")
            break
        say(number)
    try:
        store.get(META, b"last")
    except StoreError as error:
        say(error)


if __name__ == "__main__":
    main()
