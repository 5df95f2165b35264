"""The server's settings: flags, then the environment, then the file, then defaults."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
from attrs import field, frozen
from platformdirs import user_state_dir

from coordinate_protocol.configuration import SETTINGS, ConfigError, check_server, coordinate_block
from coordinate_protocol.limits import DEFAULT_LIMITS, Limits
from coordinate_server.snapshot_names import SnapshotNames
from coordinate_server.snapshots import SnapshotSettings

__all__ = ["Plug", "ServerConfig", "default_data_file", "effective", "masked", "server_config"]

# `postgres_connect` holds a password; `limits.connections` and `require_token` hold no secret.
_SECRET = re.compile(
    r"password|passwd|secret|(?<!require_)token|connect(?!ions)|credential|api_?key", re.IGNORECASE
)
# user:password@ in an address of any kind
_USER_INFO = re.compile(r"(?<=://)[^/@\s]+@")
_MASK = "********"
_MEMORY = ":memory:"
_NAMESPACES = ("separate", "shared")
_HIGHEST_PORT = 65535
_SNAPSHOT_PERIOD = 3600.0
"""Seconds between two snapshots where only their directory is said."""


@frozen
class Plug:
    """A plug-in that the configuration names.

    Arguments:
        module: a module that can be imported.
        class_name: a class in it.
    """

    module: str
    class_name: str


@frozen
class ServerConfig:
    """All that the server is told.

    Arguments:
        host: address to listen on.
        port: port to listen on; 0 takes a free one.
        data: data file; None keeps everything in memory only.
        namespace: that of connections which never say another.
        shared: whether namespaces are ignored, as 0.1.5 did.
        modules: plug-ins.
        limits: bounds on input.
        tracebacks: whether answers to failed calls have one.
        rpclog: whether every call is logged.
        httpd: accepted for later.
        snapshots: which snapshots are made, or a start is made from; None for none.
        restart_grace: what leases have left after a start, at least, seconds.
        require_token: whether a pending unit is changed only by who names its attempt.
        limit_completed_count: how many finished, and how many failed, units of a spec stay.
        limit_completed_age: how long ended units stay, seconds.
        shared_limits: how many units may be pending at once of the specs that use a name.
        postgres: whether a PostgreSQL database is named, which is not offered yet.
        tree: the whole effective configuration, secrets and all, other blocks too.
    """

    host: str
    port: int
    data: Path | None
    namespace: str
    shared: bool
    modules: tuple[Plug, ...]
    limits: Limits
    tracebacks: bool
    rpclog: bool
    httpd: str | None
    snapshots: SnapshotSettings | None
    restart_grace: float
    require_token: bool
    limit_completed_count: int | None
    limit_completed_age: float | None
    shared_limits: Mapping[str, int] = field(factory=dict)
    postgres: bool = False
    tree: Mapping[str, Any] = field(factory=dict, repr=False)

    @property
    def shown(self) -> dict[str, Any]:
        """The whole configuration as anybody may see it."""
        shown: dict[str, Any] = masked(self.tree)
        return shown

    @property
    def wants_snapshots(self) -> bool:
        """Whether snapshots are asked for, whether or not it is said where they are."""
        queue = self.tree["coordinate"]["job_queue"]
        return queue["snapshot_period_seconds"] is not None or bool(queue["do_recover"])


def default_data_file() -> Path:
    """Where data is kept when nobody says."""
    return Path(user_state_dir("coordinate")) / "coordinate.db"


def server_config(
    config: Mapping[str, Any],
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> ServerConfig:
    """Put the settings together.

    Arguments:
        config: a whole configuration as ``load_config`` gives it.
        flags: keys of the block's ``server`` part that the command line gives; None says nothing.
        environ: variables; None for those of the process.

    Raises:
        ConfigError: a setting is unknown, or its value of the wrong kind or out of range.
    """
    block = effective(config, flags, environ)
    server, queue = block["server"], block["job_queue"]
    return ServerConfig(
        host=server["host"],
        port=_in_range("server.port", server["port"], 0, _HIGHEST_PORT),
        data=_data_file(server["data"] or queue["sqlite_path"]),
        namespace=_text("namespace", block["namespace"]) or "default",
        shared=_one_of("server.namespaces", server["namespaces"], _NAMESPACES) == "shared",
        modules=_plugs(server["modules"]),
        limits=_limits(server["limits"]),
        tracebacks=server["tracebacks"],
        rpclog=server["rpclog"],
        httpd=server["httpd"],
        snapshots=_snapshots(server, queue),
        restart_grace=_in_range("job_queue.restart_grace", queue["restart_grace"], 0, 86400),
        require_token=queue["require_token"],
        limit_completed_count=_positive(queue, "limit_completed_count"),
        limit_completed_age=_positive(queue, "limit_completed_age"),
        shared_limits=_shared_limits(queue["limits"]),
        postgres=queue["postgres_connect"] is not None,
        tree={**config, "coordinate": block},
    )


def effective(
    config: Mapping[str, Any],
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Give the ``coordinate`` block with flags laid over it and the server's defaults filled in.

    Raises:
        ConfigError: a setting is unknown or its value of the wrong kind.
    """
    block = coordinate_block(config or None, environ)
    check_server(block)
    block["server"] = {**(block.get("server") or {})}
    block["server"] |= {k: v for k, v in (flags or {}).items() if v is not None}
    for setting in SETTINGS:
        if setting.path[0] in {"server", "job_queue", "namespace"}:
            _fill(block, setting.path, setting.kind, setting.default)
    return block


def masked(value: Any, key: str = "") -> Any:
    """Give a copy of a configuration without what should stay secret, fit to be sent.

    Arguments:
        value: any part of a configuration.
        key: the key it is under; some keys say that their values are secret.
    """
    if value is not None and _SECRET.search(key) and not isinstance(value, Mapping):
        return _MASK
    if isinstance(value, Mapping):
        return {str(name): masked(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [masked(inner, key) for inner in value]
    if isinstance(value, str):
        return _USER_INFO.sub(f"{_MASK}@", value)
    return value if isinstance(value, bool | int | float | None) else str(value)


_KINDS: Mapping[str, tuple[type | tuple[type, ...], str]] = {
    "text": (str, "text"),
    "integer": (int, "a whole number"),
    "number": ((int, float), "a number"),
    "flag": (bool, "true or false"),
}


def _fill(block: dict[str, Any], path: tuple[str, ...], kind: str, default: Any) -> None:
    part = block
    for key in path[:-1]:
        part[key] = dict(part.get(key) or {})
        part = part[key]
    value = part.get(path[-1])
    part[path[-1]] = default if value is None else _checked(".".join(path), value, kind)


def _checked(name: str, value: Any, kind: str) -> Any:
    if kind not in _KINDS:
        return value
    types, noun = _KINDS[kind]
    if not isinstance(value, types) or (isinstance(value, bool) and kind != "flag"):
        raise ConfigError(f"coordinate.{name} should be {noun}, not {value!r}")
    return value


def _in_range(name: str, value: Any, least: float, most: float) -> Any:
    if not least <= value <= most:
        raise ConfigError(f"coordinate.{name} is {value!r}, out of the range {least} to {most}")
    return value


def _positive(queue: Mapping[str, Any], name: str) -> Any:
    value = queue[name]
    return None if value is None else _in_range(f"job_queue.{name}", value, 0, float("inf"))


def _snapshots(server: Mapping[str, Any], queue: Mapping[str, Any]) -> SnapshotSettings | None:
    """Read 0.1.5's settings; None where they do not say where snapshots are."""
    names = _snapshot_names(server["snapshot_dir"], queue["snapshot_path_format"])
    period, keep = queue["snapshot_period_seconds"], queue["delete_snapshots_beyond"]
    if period is not None:
        _in_range("job_queue.snapshot_period_seconds", period, 1, float("inf"))
    if keep is not None:
        _in_range("job_queue.delete_snapshots_beyond", keep, 0, float("inf"))
    if names is None:
        return None
    if period is None and server["snapshot_dir"] is not None:
        period = _SNAPSHOT_PERIOD
    # 0.1.5 keeps all of them where the number is 0.
    settings = SnapshotSettings(names, period, keep or None, queue["do_recover"])
    if period is not None or settings.recover:
        _check_data(settings, _data_file(server["data"] or queue["sqlite_path"]))
    return settings


def _snapshot_names(directory: str | None, path_format: str | None) -> SnapshotNames | None:
    if directory is not None:
        return SnapshotNames.inside(directory)
    try:
        return None if path_format is None else SnapshotNames.of(path_format)
    except ValueError as error:
        raise ConfigError(f"coordinate.job_queue.snapshot_path_format: {error}") from error


def _check_data(settings: SnapshotSettings, data: Path | None) -> None:
    if data is None:
        raise ConfigError(
            "snapshots are copies of a data file, and data are in memory only: leave out --memory"
            " (or server.data: ':memory:'), or the settings of snapshots"
        )
    if settings.names.matches(data):
        raise ConfigError(
            f"the data file {str(data)!r} is called as a snapshot is: name it otherwise, or else"
            " change job_queue.snapshot_path_format"
        )


def _shared_limits(value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"coordinate.job_queue.limits should be {{name: number}}, not {value!r}")
    for name, most in value.items():
        if not isinstance(name, str) or type(most) is not int or most < 0:
            right = "a name, and a whole number of at least 0"
            raise ConfigError(f"coordinate.job_queue.limits: {name!r}: {most!r} should be {right}")
    return dict(value)


def _text(name: str, value: Any) -> str | None:
    checked: str | None = None if value is None else _checked(name, value, "text")
    return checked


def _one_of(name: str, value: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise ConfigError(f"coordinate.{name} is {value!r}, should be {' or '.join(known)}")
    return value


def _data_file(value: str | None) -> Path | None:
    if value == _MEMORY:
        return None
    return Path(value).expanduser() if value else default_data_file()


def _plugs(value: Any) -> tuple[Plug, ...]:
    if not isinstance(value, list | tuple):
        raise ConfigError(f"coordinate.server.modules should be a list, not {value!r}")
    return tuple(_plug(item) for item in value)


def _plug(item: Any) -> Plug:
    if not isinstance(item, Mapping) or set(item) != {"module", "class"}:
        raise ConfigError(f"coordinate.server.modules: {item!r} should be {{module, class}}")
    return Plug(str(item["module"]), str(item["class"]))


def _limits(values: Mapping[str, Any]) -> Limits:
    try:
        return attrs.evolve(DEFAULT_LIMITS, **values)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"coordinate.server.limits: {error}") from error
