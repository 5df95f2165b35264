"""The command line, ``coordinate``: one module per group of commands.

    application  the command itself: global options, names with - or _, errors -> exit codes
    session      which server, what kind of terminal, whose clock: what commands are given
    options      options that several commands share
    output       one result as JSON, as plain text, as a table
    files        spec files and unit files
    loading      adding many units, with a progress bar
    said         what the server says besides its answers: why it refused
    unit_details, reasons      lines about one unit, and about reasons
    watching     looking again and again: ``--watch``
    lock_paths, lock_lines, lock_options, durations      locks as people write and read them
    child, signals, terminal      a command in the foreground that can be ended: ``lock``
    codes        exit codes
    specs, units, retries, summary, workers, server, flow, dependencies, explanation,
    locks, lock_command      the commands

The extra ``[cli]`` brings what they need; this module alone works without, so that it can say so.
"""

import importlib
import sys

__all__ = ["main"]

NEEDED = ("click", "rich", "yaml")
MISSING = "coordinate: the command line needs the extra: pip install 'coordinate-client[cli]'"


def main() -> None:
    """Run the command that the process's arguments name; never returns.

    Exits with 0 (done), 1 (the operation failed), 2 (nothing to do), 3 (no server reached),
    64 (wrong usage) or 130 (interrupted); ``lock`` with the code of the command that it runs, and
    with 75 where the lock was lost.
    """
    try:
        for name in NEEDED:
            importlib.import_module(name)
    except ImportError:
        sys.stderr.write(f"{MISSING}\n")
        sys.exit(1)
    from coordinate_client.cli.application import coordinate

    coordinate.main(prog_name="coordinate")
