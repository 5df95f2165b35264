"""The benchmark suite: the machine's own limits, Coordinate, and other queues on the same work.

    python bench/suite.py [--only PART,...] [--rounds N] [--seconds S] [--sustained S] [--large]
                          [--output FILE] [--picture FILE] [--page FILE]

It prints a table for each part. Only the ratios mean something on another machine.
"""

import argparse
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Final

from machine import described
from page import update
from parts import ceiling, growth, memory, races, restarts, steady, sustained
from pictures import picture
from report import Asked, Report, say
from targets import judge

PARTS: Final[Mapping[str, Callable[[Asked, Report], None]]] = {
    "ceiling": ceiling.measure,
    "queues": races.measure,
    "sustained": sustained.measure,
    "steady": steady.measure,
    "memory": memory.measure,
    "restart": restarts.measure,
    "growth": growth.measure,
}
"""The parts by name, in the order in which they are measured."""


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", type=parts, default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--rounds", type=int, default=5, help="rounds, of which the median counts")
    parser.add_argument("--seconds", type=float, default=2.0, help="seconds for one measurement")
    parser.add_argument("--sustained", type=float, default=60.0, help="seconds to hold a rate")
    parser.add_argument("--large", action="store_true", help="with 10 million units, too")
    parser.add_argument("--output", type=Path, help="write the results to this file, as JSON")
    parser.add_argument("--picture", type=Path, help="draw the queues' rates to this file, SVG")
    parser.add_argument("--page", type=Path, help="put the tables into this Markdown page")
    return parser.parse_args()


def parts(text: str) -> list[str]:
    """The names of some parts.

    Raises:
        argparse.ArgumentTypeError: there is no such part.
    """
    names = text.split(",")
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"no part {name!r}: there are {', '.join(PARTS)}")
    return names


def measured(names: list[str], asked: Asked) -> Report:
    """Measure some parts; one that fails is said so of, and the others go on."""
    report = Report(described())
    print("; ".join(f"{name} {value}" for name, value in report.machine.items()))
    print(f"medians of {asked.rounds} rounds of about {asked.seconds:g} s")
    for name in names:
        say(f"Part {name}")
        report.begin(name)
        try:
            PARTS[name](asked, report)
        except (OSError, RuntimeError) as error:
            report.leave_out(f"the rest of {name}", error)
    judge(report)
    return report


def stop(_number: int, _frame: FrameType | None) -> None:
    """End as an error does, so that what was started ends, too; once, or it would not get there."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise SystemExit(1)


def main() -> None:
    """Measure, print, and write what is asked for; the status is 1 where something is left out."""
    said = arguments()
    signal.signal(signal.SIGTERM, stop)
    asked = Asked(said.rounds, said.seconds, said.sustained, said.large)
    report = measured(said.only, asked)
    if said.output is not None:
        report.write(said.output)
    if said.picture is not None and "queues" in said.only:
        said.picture.write_text(picture(report.figures), encoding="utf-8")
    if said.page is not None:
        update(said.page, report, asked)
    raise SystemExit(1 if report.left_out else 0)


if __name__ == "__main__":
    main()
