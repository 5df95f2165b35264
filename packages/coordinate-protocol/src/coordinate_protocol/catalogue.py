"""CATALOGUE: every operation with its parameters, its result, and who may call it.

The server's dispatch and the documents are driven by it; parameters have the names that 0.1.5's
servers take them by.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from coordinate_protocol.operations import Access, Operation, Parameter, Room, Service, Since

__all__ = ["CATALOGUE", "Operation", "Parameter"]

_DONE: Final = "(true, null) | (false, message)"


def _required(name: str, kind: str, doc: str) -> Parameter:
    return Parameter(name, kind, required=True, doc=doc)


def _optional(name: str, kind: str, doc: str) -> Parameter:
    return Parameter(name, kind, required=False, doc=doc)


def _operation(
    name: str,
    parameters: tuple[Parameter, ...],
    result: str,
    access: Access,
    doc: str,
    *,
    service: Service = "jobs",
    since: Since = "0.1.5",
    room: Room = "keeps",
) -> Operation:
    """Whoever may only read changes nothing, and `hello` is for the connection alone."""
    changes = access != "read"
    return Operation(name, service, parameters, result, access, changes, since, doc, room)


_SPEC_NAME: Final = _required("work_spec_name", "name", "the work spec")
_WORKER: Final = _required("worker_id", "name", "the worker")
_LOCKER: Final = _required("locker_id", "name", "who locks")
_TIMEOUT: Final = _required("timeout", "number", "seconds until the locks end; 0 means 60")
_UNIT_KEY: Final = _required("work_unit_key", "key", "the unit")
_REASONS: Final = "reasons: [{code, text, ...} ...]"
_PATHS: Final = _required("paths", "[path ...]", "each an array of text, numbers and tuples")


def _options(doc: str) -> Parameter:
    return _required("options", "map", doc)


_SPECS: Final = (
    _operation(
        "set_work_spec",
        (_required("work_spec", "map", "the work spec; it needs a name"),),
        "(true, null)",
        "submit",
        "Create or replace a work spec; its units stay.",
        room="adds",
    ),
    _operation(
        "control_work_spec",
        (_SPEC_NAME, _options("status, continuous, interval, max_running, weight")),
        _DONE,
        "submit",
        "Change how a work spec is scheduled.",
    ),
    _operation(
        "get_work_spec",
        (_SPEC_NAME,),
        "map | null",
        "read",
        "The work spec as it was set.",
    ),
    _operation(
        "get_work_spec_meta",
        (_SPEC_NAME,),
        "({status, continuous, interval, max_running, weight}, null) | (null, message)",
        "read",
        "How a work spec is scheduled now.",
    ),
    _operation(
        "list_work_specs",
        (_optional("options", "map", "limit, start"),),
        "([map ...], next start | null)",
        "read",
        "Work specs by name, in pages.",
    ),
    _operation(
        "clear",
        (),
        "number",
        "admin",
        "Delete every work spec and unit of the namespace.",
        room="frees",
    ),
    _operation(
        "del_work_spec",
        (_SPEC_NAME, _optional("options", "map", "cascade")),
        _DONE,
        "submit",
        "Delete a work spec and all of its units.",
        room="frees",
    ),
    _operation(
        "archive",
        (_optional("options", "map", "work_spec_names"),),
        "null",
        "admin",
        "Forget ended units beyond limit_completed_count and limit_completed_age.",
        room="frees",
    ),
)

_UNITS: Final = (
    _operation(
        "add_work_units",
        (
            _SPEC_NAME,
            _required(
                "work_unit_key_vals",
                "[(key, data) | (key, data, {priority?, delay?, depends_on?, locks?}) ...]",
                "the units",
            ),
        ),
        _DONE,
        "submit",
        "Add units, or replace the data of those that exist and make them available again.",
        room="adds",
    ),
    _operation(
        "add_dependent_work_units",
        (
            _required("later", "(name, key, data | null)", "the unit that needs the other"),
            _required("earlier", "(name, key, data | null)", "the unit that is needed"),
            _optional("hard", "boolean", "whether earlier has to finish (true), or just to end"),
        ),
        _DONE,
        "submit",
        "Let one unit need another; those that come with data are added.",
        since="1.0",
        room="adds",
    ),
    _operation(
        "add_dependencies",
        (
            _required(
                "edges",
                "[(later, earlier) | (later, earlier, hard) ...]",
                "each end (name, key) or (name, key, data | null)",
            ),
        ),
        _DONE,
        "submit",
        "Let units need others, all of the edges or none; units that come with data are added.",
        since="1.0",
        room="adds",
    ),
    _operation(
        "count_work_units",
        (_SPEC_NAME,),
        "({status: number}, null)",
        "read",
        "How many units have each status.",
    ),
    _operation(
        "get_work_units",
        (_SPEC_NAME, _options("work_unit_keys, or state; limit, start")),
        "([(key, data) ...], null) | (null, message)",
        "read",
        "Units with their data.",
    ),
    _operation(
        "prioritize_work_units",
        (_SPEC_NAME, _options("work_unit_keys, and priority or adjustment")),
        _DONE,
        "submit",
        "Set or shift the priority of units.",
    ),
    _operation(
        "del_work_units",
        (_SPEC_NAME, _options("all, or work_unit_keys and state; cascade")),
        "(number, null | message)",
        "submit",
        "Delete units.",
        room="frees",
    ),
    _operation(
        "get_work_unit_status",
        (_SPEC_NAME, _required("work_unit_keys", "[key ...]", "the units")),
        "([{status, expiration, worker_id?, traceback?, reason?, failures?, lost_leases?, "
        "output_error?, cancel?, depends_on?, depends_on_count?, blocked_by?, locks?} "
        "| null ...], null)",
        "read",
        "What units are doing.",
    ),
    _operation(
        "get_work_unit_attempts",
        (_SPEC_NAME, _UNIT_KEY),
        "([{attempt, worker_id, began, ended?, outcome, reason?, traceback?} ...], null) | "
        "(null, message)",
        "read",
        "Who had a unit, when, and what came of it.",
        since="1.0",
    ),
    _operation(
        "update_work_unit",
        (
            _SPEC_NAME,
            _UNIT_KEY,
            _options("lease_time, status, data, worker_id, attempt, delay"),
        ),
        _DONE,
        "work",
        "Renew a lease, finish or fail a unit, give it back, or change its data.",
    ),
    _operation(
        "update_work_units",
        (
            _required(
                "updates",
                "[(name, key, {lease_time?, status?, data?, worker_id?, attempt?, delay?}) ...]",
                "the changes",
            ),
            _optional("options", "map", "get_work"),
        ),
        "([{done, code?, message?} ...], "
        "[(name, key, data, {attempt, expires, locks?}) ...] | null, message | null)",
        "work",
        "Renew, finish, fail, give back or change many units, and lease the next ones.",
        since="1.0",
    ),
    _operation(
        "get_work",
        (
            _WORKER,
            _options(
                "max_jobs, work_spec_names, lease_time, available_gb, runtimes, attempts, wait"
            ),
        ),
        "((name, key, data), null) | ((null, null, null), null) | ([(name, key, data) ...], null)",
        "work",
        "Lease units of one work spec.",
    ),
)

_WORKERS: Final = (
    _operation(
        "get_child_work_units",
        (_required("worker_id", "name", "the parent"),),
        "({worker: [{work_spec_name, work_unit_key, work_unit_data, worker_id, expires} ...]}, "
        "null)",
        "read",
        "What the children of a worker have leased.",
    ),
    _operation(
        "worker_heartbeat",
        (
            _WORKER,
            _required("mode", "name", "RUN, IDLE or TERMINATE"),
            _required("expire_seconds", "number", "seconds until the worker counts as gone"),
            _required("data", "map | null", "what the worker says of itself"),
            _required("parent", "name | null", "the worker that started it"),
            _optional("options", "map", "orders, wait, seen, children"),
        ),
        "(true, null | message) | (true, null | message, "
        "{position, mode, cancel: [(name, key, attempt, reason) ...], packages?})",
        "work",
        "Say that a worker is alive, and learn what is asked of it; the first one registers it.",
    ),
    _operation(
        "worker_unregister",
        (_WORKER, _optional("options", "map", "release, lost")),
        _DONE,
        "work",
        "Say that a worker is gone.",
        room="frees",
    ),
    _operation(
        "list_worker_modes", (), "({worker: mode}, null)", "read", "The mode of every worker."
    ),
    _operation(
        "get_worker_info",
        (_WORKER,),
        "(map with age_seconds | null, null)",
        "read",
        "What a worker last said of itself.",
    ),
    _operation(
        "mode_counts", (), "({mode: number}, null)", "read", "How many workers are in each mode."
    ),
    _operation(
        "worker_stats",
        (),
        "{num_workers, num_children, num_expirable}",
        "read",
        "How many workers there are.",
    ),
)

_ORDERS: Final = (
    _operation(
        "list_workers",
        (_optional("options", "map", "limit, start, host, worker_ids"),),
        "([{worker_id, mode, asked, age_seconds, data, units: [{work_spec_name, work_unit_key, "
        "attempt, lease_left, since?, cancel?} ...], units_count, parent?, host?, expires_in?} "
        "...], next worker | null)",
        "read",
        "Workers by name with what they have, in pages.",
        since="1.0",
    ),
    _operation(
        "set_mode",
        (
            _required("mode", "name", "RUN, IDLE or TERMINATE"),
            _options("worker_ids, hosts, all"),
        ),
        "(number, null)",
        "admin",
        "Ask workers to run, to take no more work, or to end when they are done.",
        since="1.0",
    ),
    _operation(
        "list_asked_modes",
        (),
        "({all: mode | null, hosts: {host: mode}, workers: {worker: mode}}, null)",
        "read",
        "What is asked of whom.",
        since="1.0",
    ),
    _operation(
        "request_packages",
        (_required("worker_ids", "[name ...]", "the workers"),),
        "(number, null)",
        "admin",
        "Ask workers to say which packages are installed.",
        since="1.0",
    ),
    _operation(
        "cancel_work_units",
        (
            _SPEC_NAME,
            _required("work_unit_keys", "[key ...]", "the units"),
            _optional("options", "map", "reason, now"),
        ),
        "([cancelled | asked | ended | unknown ...], null) | (null, message)",
        "submit",
        "End units that nobody is to work on any more.",
        since="1.0",
    ),
)

_EXPLANATIONS: Final = (
    _operation(
        "explain_work_unit",
        (_SPEC_NAME, _UNIT_KEY),
        f"({{status, text, {_REASONS}}}, null) | (null, message)",
        "read",
        "Why a unit is where it is.",
        since="1.0",
    ),
    _operation(
        "explain_work_spec",
        (_SPEC_NAME,),
        f"({{text, counts, {_REASONS}}}, null) | (null, message)",
        "read",
        "Why units of a work spec are handed out, or are not.",
        since="1.0",
    ),
    _operation(
        "explain_worker",
        (_WORKER, _optional("options", "map", "work_spec_names, available_gb, runtimes")),
        "({text, would_get: {work_spec_name, work_unit_key} | null, "
        "holds: [{work_spec_name, work_unit_key, expires} ...], "
        f"specs: [{{work_spec_name, {_REASONS}, place?}} ...]}}, null)",
        "read",
        "What a worker would be given now, and why.",
        since="1.0",
    ),
)

_CHANGES: Final = (
    _operation(
        "watch",
        (
            _required(
                "topics",
                "[{specs: true} | {work_spec_name: name} | {path: [part ...]} ...]",
                "what changes are of interest",
            ),
            _optional("options", "map", "after, wait, limit"),
        ),
        "{position, reset, changes: [{kind, ...} ...]}",
        "read",
        "What has changed since a position.",
        since="1.0",
    ),
)

_LOCKS: Final = (
    _operation(
        "lock",
        (_LOCKER, _TIMEOUT, _PATHS, _optional("options", "map", "mode, wait, reentrant, grant")),
        f"{_DONE} | {{granted: true, token, expires}} | "
        "{granted: false, code, message, holder?, path?, cycle?}",
        "work",
        "Lock all of the paths, or none.",
        service="locks",
    ),
    _operation(
        "locksome",
        (_LOCKER, _TIMEOUT, _PATHS, _optional("options", "map", "mode, reentrant, grant")),
        "([path | null ...], null | message) | {paths: [path | null ...], token, expires}",
        "work",
        "Lock as many of the paths as are free.",
        service="locks",
    ),
    _operation(
        "renew",
        (_LOCKER, _TIMEOUT, _PATHS, _optional("options", "map", "token, wait")),
        _DONE,
        "work",
        "Keep all of the locks for longer, or none.",
        service="locks",
    ),
    _operation(
        "readlock", (_PATHS,), "[name | null ...]", "read", "Who holds each path.", service="locks"
    ),
    _operation(
        "unlock",
        (_LOCKER, _PATHS, _optional("options", "map", "token")),
        _DONE,
        "work",
        "Release all of the locks, or none.",
        service="locks",
        room="frees",
    ),
    _operation(
        "delete_namespace",
        (_required("namespace", "path part", "the first part of the paths"),),
        "number",
        "admin",
        "Drop every lock below a first part.",
        service="locks",
        room="frees",
    ),
    _operation(
        "list_locks",
        (_optional("options", "map", "path, limit, start"),),
        "([{path, mode, locker_id, token, age, expires, count, work_spec_name?, work_unit_key?, "
        "waiters: [{locker_id, mode, waiting, ...} ...], waiters_count} ...], next path | null)",
        "read",
        "Locks at and below a path, by path, in pages.",
        service="locks",
        since="1.0",
    ),
    _operation(
        "force_unlock",
        (_PATHS, _optional("options", "map", "token")),
        "number",
        "admin",
        "Release locks, whosever they are.",
        service="locks",
        since="1.0",
    ),
)

_SERVER: Final = (
    _operation(
        "get_config",
        (),
        "(map, null)",
        "read",
        "The server's configuration, without secrets.",
        service="jobs",
    ),
    _operation(
        "hello",
        (_optional("options", "map", "protocol, client, namespace, session, backlog"),),
        "{protocol, server, version, namespace, capabilities, session?, backlog?}",
        "read",
        "Agree on a protocol version and a namespace, and learn what the server can.",
        service="server",
        since="1.0",
    ),
)

CATALOGUE: Final[Mapping[str, Operation]] = MappingProxyType(
    {
        operation.name: operation
        for operation in (
            *_SPECS,
            *_UNITS,
            *_WORKERS,
            *_ORDERS,
            *_EXPLANATIONS,
            *_CHANGES,
            *_LOCKS,
            *_SERVER,
        )
    }
)
