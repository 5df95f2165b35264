"""Profiles of units' code, written to files."""

import cProfile
import logging
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coordinate_client.workers.running.settings import ProfileSettings
from coordinate_protocol.values import key_bytes

__all__ = ["destination", "profiled"]

logger = logging.getLogger("coordinate_client.worker")

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
# Names of files have 255 bytes, and there are two names and the time in one.
_MOST = 100


def profiled(settings: ProfileSettings, unit: Any, call: Callable[[], Any]) -> Any:
    """Make a call, and write a profile of it.

    What goes wrong with the profile is logged and changes nothing about the call.

    Args:
        settings: where it is written to.
        unit: whose code it is.
        call: is made in any case.
    """
    profile = cProfile.Profile()
    if not _begun(profile):
        return call()
    try:
        return call()
    finally:
        profile.disable()
        _write(profile, destination(settings.destination, unit))


def _begun(profile: cProfile.Profile) -> bool:
    try:
        profile.enable()
    except ValueError as error:
        # Pythons from 3.12 on have one profiler in a process.
        logger.warning("no profile: %s", error)
        return False
    return True


def _write(profile: cProfile.Profile, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        profile.dump_stats(path)
    except OSError as error:
        logger.warning("the profile %s cannot be written: %s", path, error)


def destination(template: str, unit: Any, now: float | None = None) -> Path:
    """The file for a unit's profile.

    Args:
        template: as in the settings.
        unit: gives its names; what is special in names of files becomes "_".
        now: seconds since 1970; None for the present.
    """
    moment = time.localtime(time.time() if now is None else now)
    names = {
        "work_spec_name": _safe(unit.work_spec_name),
        "work_unit_key": _safe(key_bytes(unit.key).decode(errors="backslashreplace")),
        "ymd": time.strftime("%Y%m%d", moment),
        "hms": time.strftime("%H%M%S", moment),
    }
    return Path(template % names)


def _safe(name: str) -> str:
    # A name that is nothing but dots would be a folder.
    return _UNSAFE.sub("_", name).lstrip(".")[:_MOST] or "_"
