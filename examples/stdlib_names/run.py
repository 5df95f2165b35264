"""What does Python's standard library use most? Every file of it is a work unit.

Starts a server, loads the flow, has workers do it, prints and draws what came out, and compares it
with a plain count in one process. Exit status: 0 if they agree, 1 if anything went wrong.
"""

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# The job's package, wherever this file was started from and whatever is installed.
sys.path[0] = str(HERE.parent)

from attrs import define  # noqa: E402 - after sys.path
from rich.console import Console  # noqa: E402 - after sys.path
from rich.progress import (  # noqa: E402 - after sys.path
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)

from coordinate_client import CoordinateException, TaskMaster  # noqa: E402 - after sys.path
from coordinate_protocol.configuration import load_config  # noqa: E402 - after sys.path
from stdlib_names import report  # noqa: E402 - after sys.path
from stdlib_names.counting import library_files, package_of  # noqa: E402 - after sys.path
from stdlib_names.processes import (  # noqa: E402 - after sys.path
    Crew,
    Failure,
    kill_one_at_work,
    running_server,
)

POLL = 0.1  # seconds between two looks at the progress
KILL_POLL = 0.01  # the same, while a worker with a unit in its hands is looked for
TICKS = 10  # lines of progress in a pipe
BATCH = 500  # units in a call that adds them
PAGE = 50  # packages in an answer: a large one has some 100 kB


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--workers", type=positive, default=4, help="worker processes (4)")
    parser.add_argument("--limit", type=positive, help="take only so many of the files")
    parser.add_argument(
        "--kill-one", action="store_true", help="kill a worker in the middle of its work (SIGKILL)"
    )
    parser.add_argument(
        "--lease", type=float, default=10, help="seconds that a worker has for a file (10)"
    )
    parser.add_argument(
        "--timeout", type=float, default=600, help="seconds after which to give up (600)"
    )
    parser.add_argument(
        "--picture", type=Path, default=Path("stdlib_names.png"), help="PNG or SVG file to draw"
    )
    parser.add_argument("--no-picture", action="store_true", help="draw none")
    return parser.parse_args()


def positive(text: str) -> int:
    """A whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def chosen_files(limit: int | None) -> dict[str, Path]:
    """The files to count: all, or some of them, spread evenly."""
    files = library_files()
    names = list(files)
    count = min(limit or len(names), len(names))
    return {name: files[name] for name in (names[i * len(names) // count] for i in range(count))}


@define
class Counts:
    """How far the work is: units of both specs by status."""

    parse: dict[str, Any]
    add_up: dict[str, Any]

    @classmethod
    def now(cls, taskmaster: TaskMaster) -> "Counts":
        """Ask the server. In this order: a file's package is there as soon as it is finished."""
        return cls(taskmaster.status("parse"), taskmaster.status("add_up"))

    def done(self, files: int) -> bool:
        """Whether nothing is left to do.

        Raises:
            Failure: a unit failed.
        """
        if self.parse["num_failed"] or self.add_up["num_failed"]:
            raise Failure("work units failed: the workers' log says why")
        parsed = self.parse["num_finished"] == files
        added = self.add_up["num_finished"] == self.add_up["num_tasks"]
        return bool(parsed and added)


class Display:
    """Tells how far the work is: a live bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, files: int, packages: int) -> None:
        self.console = console
        self.live = console.is_terminal
        self.totals = (files, packages)
        self.said = 0
        self.progress = Progress(
            TextColumn("{task.description:14}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not self.live,
        )
        self.bars = (
            self.progress.add_task("files parsed", total=files),
            self.progress.add_task("packages added", total=packages),
        )

    def show(self, counts: Counts) -> None:
        """Show how far it is."""
        finished = (counts.parse["num_finished"], counts.add_up["num_finished"])
        for bar, count in zip(self.bars, finished, strict=True):
            self.progress.update(bar, completed=count)
        tick = finished[0] * TICKS // self.totals[0]
        if not self.live and tick > self.said:
            self.said = tick
            self.say(f"{finished[0]} of {self.totals[0]} files parsed")

    def say(self, message: str) -> None:
        """Print a line."""
        self.console.print(message, highlight=False, soft_wrap=True)


def load(taskmaster: TaskMaster, files: dict[str, Path]) -> None:
    """Create the work specs and a work unit for each file."""
    taskmaster.add_flow(load_config(HERE / "flow.yaml")["flows"])
    units = [(name, {"path": str(path)}) for name, path in files.items()]
    for begin in range(0, len(units), BATCH):
        taskmaster.add_work_units("parse", units[begin : begin + BATCH])


def work(options: argparse.Namespace, taskmaster: TaskMaster, crew: Crew, display: Display) -> None:
    """Wait until everything is done; kill a worker on the way, if asked to.

    Raises:
        Failure: the time is up, or a worker died by itself.
    """
    deadline = time.monotonic() + options.timeout
    to_kill = options.kill_one
    files = display.totals[0]
    while not (counts := Counts.now(taskmaster)).done(files):
        display.show(counts)
        crew.check()
        if time.monotonic() > deadline:
            raise Failure(f"not done after {options.timeout:g} s: {counts}")
        if to_kill and counts.parse["num_finished"] * 4 >= files:
            to_kill = not killed(crew, taskmaster, display)
        time.sleep(KILL_POLL if to_kill else POLL)
    display.show(counts)
    if to_kill:
        raise Failure("all was done before a worker could be killed: try more files")


def killed(crew: Crew, taskmaster: TaskMaster, display: Display) -> bool:
    """Kill a worker and start another in its place; False if none had a unit in its hands."""
    victim = kill_one_at_work(crew, taskmaster)
    if victim is None:
        return False
    number, key = victim
    display.say(f"killed worker {number} (SIGKILL) while it held {key!r}")
    display.say(f"started worker {crew.add()}; {key!r} waits for the end of its lease")
    return True


def totals(taskmaster: TaskMaster) -> report.Totals:
    """What the finished units of the second spec add up to."""
    return report.totals_of(finished_packages(taskmaster))


def finished_packages(taskmaster: TaskMaster) -> Iterator[tuple[str, Any]]:
    """Every unit of the second spec, page by page; all are finished by now."""
    start = None
    while page := taskmaster.get_work_units("add_up", start=start, limit=PAGE):
        yield from page
        start = page[-1][0] + "\0"


def run_job(options: argparse.Namespace, files: dict[str, Path], console: Console) -> report.Totals:
    """Do the whole job with a server and workers."""
    display = Display(console, len(files), len({package_of(name) for name in files}))
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="stdlib_names-")))
        address = stack.enter_context(running_server(directory))
        display.say(f"server on {address}, {options.workers} workers, {len(files)} files")
        taskmaster = stack.enter_context(TaskMaster({"address": address}))
        load(taskmaster, files)
        crew = Crew(address, options.lease, directory / "workers.log")
        stack.callback(crew.stop)
        for _ in range(options.workers):
            crew.add()
        with display.progress:
            tell_log_on_failure(options, taskmaster, crew, display)
        return totals(taskmaster)


def tell_log_on_failure(
    options: argparse.Namespace, taskmaster: TaskMaster, crew: Crew, display: Display
) -> None:
    """Work; if that fails, show what the workers wrote before their directory is removed."""
    try:
        work(options, taskmaster, crew, display)
    except (Failure, CoordinateException):
        sys.stderr.write(crew.log_path.read_text(errors="replace"))
        raise


def tell(options: argparse.Namespace, found: report.Totals, console: Console) -> None:
    """Print and draw what came out."""
    report.print_table(found, console)
    console.print(f"files that are not Python of this version: {found.not_parsed}", highlight=False)
    if options.no_picture:
        return
    try:
        drawn = report.draw(found, options.picture)
    except (OSError, ValueError) as error:
        raise Failure(f"cannot draw {str(options.picture)!r}: {error}") from error
    message = f"picture: {options.picture}" if drawn else "no picture: pip install matplotlib"
    console.print(message, highlight=False, soft_wrap=True)


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Have SIGTERM end the run as Ctrl-C does: with everything cleaned up."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main() -> int:
    """Run; the exit status."""
    options = arguments()
    console = Console()
    started = time.monotonic()
    files = chosen_files(options.limit)
    try:
        with ended_by_signals():
            found = run_job(options, files, console)
            seconds = time.monotonic() - started
            tell(options, found, console)
            console.print(f"done in {seconds:.1f} s; now counting in one process", highlight=False)
            differs = report.difference(found, report.counted_plainly(files))
    except (Failure, CoordinateException) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("run.py: interrupted; server and workers are stopped", file=sys.stderr)
        return 130
    if differs:
        print(f"run.py: totals differ: {differs}", file=sys.stderr)
        return 1
    print(f"totals agree: {found.files} files, {found.uses} names")
    return 0


if __name__ == "__main__":
    # matplotlib wants a place to write to; the home directory is none of our business.
    os.environ.setdefault("MPLCONFIGDIR", tempfile.gettempdir())
    sys.exit(main())
