"""Log lines of workers: for people, or as JSON, each with the unit that it is about."""

import json
import logging
import sys
import time
from pathlib import Path
from typing import Any

from coordinate_client.workers.current import CURRENT
from coordinate_protocol.values import key_bytes

__all__ = ["FORMATS", "JsonFormatter", "TextFormatter", "set_up_logs"]

FORMATS = ("text", "json")
_TEXT = "%(asctime)s %(levelname)s [%(process)d] %(name)s: %(message)s"


def _unit_of(record: logging.LogRecord) -> dict[str, Any]:
    """What is known of the unit that a record is about, or that ran when it was written."""
    unit = getattr(record, "unit", None) or CURRENT.get()
    if unit is None:
        return {}
    key = key_bytes(unit.key).decode(errors="backslashreplace")
    said = {"work_spec": unit.work_spec_name, "work_unit": key}
    return said if unit.attempt is None else said | {"attempt": unit.attempt}


class TextFormatter(logging.Formatter):
    """One line for people, and the traceback below it."""

    def __init__(self) -> None:
        """Begin."""
        super().__init__(_TEXT)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """The line; what it says of a unit stands at its end."""
        line = super().formatMessage(record)
        said = _unit_of(record)
        shown = " ".join(f"{name}={value!r}" for name, value in said.items())
        return f"{line} ({shown})" if said else line


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line: time, level, logger, pid, message, what is known of the unit, traceback."""
        moment = time.gmtime(record.created)
        said: dict[str, Any] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', moment)}.{int(record.msecs):03}Z",
            "level": record.levelname,
            "logger": record.name,
            "pid": record.process,
            "message": record.getMessage(),
            **_unit_of(record),
        }
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=repr)


def set_up_logs(style: str, level: str, path: Path | None = None) -> None:
    """Have the root logger write lines.

    Args:
        style: one of `FORMATS`.
        level: the least level that is written, such as "INFO".
        path: the file that they are added to; None for standard error.

    Raises:
        OSError: where the file cannot be written.
    """
    handler: logging.Handler = logging.StreamHandler(sys.stderr)
    if path is not None:
        # Watched: when it was moved away by whoever rotates logs, a new one is begun.
        from logging.handlers import WatchedFileHandler

        handler = WatchedFileHandler(path, encoding="utf-8")
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
