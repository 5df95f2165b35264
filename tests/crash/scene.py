"""One run of a writer in a directory of its own: how it went, and what is to be checked of it."""

import json
import os
import re
from collections import Counter
from functools import cached_property
from pathlib import Path

from attrs import asdict, define

from tests.crash.diary import read_diary
from tests.crash.tracing import WRITES
from tests.crash.verdict import check_file
from tests.crash.writer import Run

_CALL = re.compile(r"^\d+ +(?:[\d.]+ +)?(\w+)\(", re.MULTILINE)
_TRACE = ["-e", f"trace={','.join(WRITES)}"]


@define(slots=False)
class Scene:
    """A directory with a data file, and what the writer is told.

    Arguments:
        home: the directory, which is made.
        run: what it does; its paths are set here.
    """

    home: Path
    run: Run

    @classmethod
    def new(cls, home, seed, **how):
        """Make the directory, and give a run with a seed."""
        home.mkdir(parents=True)
        data, diary, gate = (str(home / name) for name in ("data", "diary", "gate"))
        os.mkfifo(gate)
        return cls(home, Run(data, diary, gate, seed, **how))

    @property
    def line(self):
        """Give what the writer reads."""
        return json.dumps(asdict(self.run)).encode() + b"\n"

    @property
    def data(self):
        """Give the path of the data file."""
        return Path(self.run.data)

    @cached_property
    def trace(self):
        """Give the path of strace's output."""
        return self.home / "trace"

    def play(self, writers, injection=None, more=()):
        """Let it run under strace; gives exit status and standard error."""
        options = [*(more or _TRACE), *(() if injection is None else injection.options)]
        return writers.run(self, ["-o", str(self.trace), *options])

    def calls(self):
        """Give how many calls of each kind were traced."""
        return Counter(_CALL.findall(self.trace.read_text()))

    def known(self):
        """Give what each client knows."""
        diary = Path(self.run.diary)
        return read_diary(diary.read_text()) if diary.exists() else {}

    def check(self):
        """Start from the file, see that all is right; gives how many calls were acknowledged.

        Raises:
            Wrong: it is not.
            StoreError: the file is refused.
        """
        known = self.known()
        check_file(self.data, known)
        return sum(one.answers for one in known.values())
