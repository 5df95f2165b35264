"""What ``work_unit`` tells about one unit: its status, its lease, who has it, how it failed."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from coordinate_client.cli.output import name_of
from coordinate_client.cli.session import Session
from coordinate_client.exceptions import CoordinateException
from coordinate_client.written_paths import path_text
from coordinate_protocol.constants import FAILED, FINISHED, PENDING, STATUS_NAMES

__all__ = ["Details", "details", "details_lines"]

COUNTS = {"failures": "Failures", "lost_leases": "Lost leases"}
WHY = {"reason": "Reason", "output_error": "Output error"}

Details = dict[str, Any]


def details(session: Session, spec_name: str, key: str) -> Details | None:
    """Ask the server about a unit.

    Returns:
        What it says, with ``status_name``, and ``worker`` (what the worker's heartbeat says about
        its host, or None) where a worker has it; None if there is no such unit.
    """
    status = session.task_master.get_work_unit_status(spec_name, key)
    if status is None:
        return None
    told: Details = {**status, "status_name": STATUS_NAMES.get(status["status"], "unknown")}
    if told.get("worker_id") is not None:
        told["worker"] = _host(session, told["worker_id"])
    return told


def _host(session: Session, worker_id: Any) -> str | None:
    """Where a worker runs; None where it says nothing, or is gone by now."""
    try:
        heartbeat = session.task_master.get_heartbeat(worker_id) or {}
    except CoordinateException:
        return None
    name = name_of(heartbeat.get("fqdn") or heartbeat.get("hostname") or "")
    addresses = ", ".join(name_of(address) for address in heartbeat.get("ipaddrs") or ())
    return " on ".join(part for part in (name, addresses) if part) or None


def details_lines(key: str, told: Details) -> Iterator[str]:
    """The lines for people; the first is 0.1.5's, with the number of the status."""
    yield f"{key} ({told['status']!r})"
    yield f"  Status: {told['status_name']}"
    if told.get("expiration") is not None:
        yield f"  {_expiry_title(told['status'])}: {time.ctime(told['expiration'])}"
    if told.get("worker_id") is not None:
        yield f"  Worker: {name_of(told['worker_id'])} ({told['worker'] or 'No information'})"
    yield from _needed_lines(told)
    for lock in told.get("locks") or ():
        yield f"  Lock: {path_text(lock['path'])} ({lock['mode']})"
    for name, title in COUNTS.items():
        if told.get(name):
            yield f"  {title}: {told[name]}"
    for name, title in WHY.items():
        if told.get(name):
            yield f"  {title}: {name_of(told[name])}"
    if told.get("traceback"):
        yield f"  Traceback:\n{name_of(told['traceback'])}"


def _needed_lines(told: Details) -> Iterator[str]:
    """The units that it needs; a server names no more than 1,000 of them."""
    needed = told.get("depends_on") or []
    for edge in needed:
        yield f"  Needs: {_edge(edge)}"
    more = (told.get("depends_on_count") or 0) - len(needed)
    if more > 0:
        yield f"  Needs: {more} more"


def _edge(edge: Mapping[str, Any]) -> str:
    status = STATUS_NAMES.get(edge["status"], "unknown")
    soft = "" if edge.get("hard", True) else ", may fail"
    key, spec = name_of(edge["work_unit_key"]), name_of(edge["work_spec_name"])
    return f"{key!r} of {spec!r} ({status}{soft})"


def _expiry_title(status: int) -> str:
    if status == PENDING:
        return "Expires"
    return "Ended" if status in {FINISHED, FAILED} else "Since"
