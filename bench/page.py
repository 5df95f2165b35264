"""The page of results: what a run measured takes the place of what the last one did."""

from pathlib import Path
from typing import Final

from report import Asked, Report

__all__ = ["update"]

BEGIN: Final = "<!-- bench/suite.py writes from here -->"
END: Final = "<!-- to here -->"


def update(path: Path, report: Report, asked: Asked) -> None:
    """Put a run's tables between the page's two marks.

    Args:
        path: the page.
        report: what was measured.
        asked: how much of it.

    Raises:
        SystemExit: the page has no marks.
    """
    text = path.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no lines {BEGIN!r} and {END!r}: there is no place for tables")
    path.write_text(
        f"{before}{begin}\n\n{_section(report, asked)}\n\n{end}{after}", encoding="utf-8"
    )


def _section(report: Report, asked: Asked) -> str:
    machine = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    held = f"held for {asked.sustained:g} s where it says so"
    how = f"medians of {asked.rounds} rounds of about {asked.seconds:g} s, {held}"
    return f"{machine}; {how}.\n\n{report.markdown()}"
