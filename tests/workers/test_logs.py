"""Log lines of workers."""

import json
import logging
import sys
from typing import Any

import pytest

from coordinate_client import WorkUnit
from coordinate_client.workers.current import CURRENT
from coordinate_client.workers.logs import JsonFormatter, TextFormatter

NOBODY: Any = None
UNIT = WorkUnit(NOBODY, "s", b"k\xff", {}, attempt=7)


def record(message, *arguments, **more):
    """A record of a logger."""
    found = logging.LogRecord("a.b", logging.WARNING, __file__, 1, message, arguments, None)
    found.created, found.msecs, found.process = 0.25, 250.0, 12
    vars(found).update(more)
    return found


def test_json_lines_say_what_they_are_about():
    """One object a line, with the unit's spec, key and attempt."""
    line = JsonFormatter().format(record("lost %s\nof it", "all", unit=UNIT))
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.250Z",
        "level": "WARNING",
        "logger": "a.b",
        "pid": 12,
        "message": "lost all\nof it",
        "work_spec": "s",
        "work_unit": "k\\xff",
        "attempt": 7,
    }


def test_text_lines_end_with_the_unit():
    """For people, the message comes first."""
    line = TextFormatter().format(record("lost", unit=UNIT))
    assert line.endswith("WARNING [12] a.b: lost (work_spec='s' work_unit='k\\\\xff' attempt=7)")


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_what_is_logged_while_a_unit_runs_names_it(formatter):
    """Also by the unit's own code, which knows nothing of that."""
    token = CURRENT.set(UNIT)
    try:
        assert "attempt" in formatter.format(record("mine"))
    finally:
        CURRENT.reset(token)
    assert "attempt" not in formatter.format(record("mine"))


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_tracebacks_are_told(formatter):
    """With the record that has them."""
    try:
        raise ValueError("my fault")
    except ValueError:
        found = record("failed", exc_info=sys.exc_info())
    assert "my fault" in formatter.format(found)
