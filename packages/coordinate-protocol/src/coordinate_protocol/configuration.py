"""The ``coordinate:`` block of a configuration file, as clients and servers read it.

Values come from, first wins: what a program passes itself (flags), ``COORDINATE_*`` variables of
the environment, the file, the defaults of ``SETTINGS``. An application that has set yakonfig up
configures Coordinate too: without a file of its own, ``coordinate_block`` takes the block from
there.

This is the only module that imports yakonfig and PyYAML (extra ``[config]``), and only when a file
is read or a global configuration is set up.
"""

import difflib
import importlib
import os
import sys
from collections import abc
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
from attrs import frozen

from coordinate_protocol.constants import CLIENT_LEASE, DEFAULT_PORT
from coordinate_protocol.limits import Limits

__all__ = [
    "SETTINGS",
    "ConfigError",
    "Setting",
    "check_server",
    "coordinate_block",
    "dump_config",
    "install_config",
    "installed_config",
    "load_config",
    "parse_yaml",
    "restore_config",
]

config_name = "coordinate"


class ConfigError(Exception):
    """A configuration cannot be used; the message is one line for the person who wrote it."""


@frozen
class Setting:
    """One known setting of the block.

    Arguments:
        path: the keys that lead to it, such as ``("server", "port")``.
        kind: ``text``, ``integer``, ``number``, ``flag``, ``texts`` (a list of texts) or ``any``.
        default: what holds where nobody says anything.
        doc: one line for people.
    """

    path: tuple[str, ...]
    kind: str
    default: Any
    doc: str

    @property
    def variable(self) -> str:
        """The variable of the environment that gives it, such as ``COORDINATE_SERVER_PORT``."""
        return "_".join(("coordinate", *self.path)).upper()


def _limit_settings() -> list[Setting]:
    return [
        Setting(
            ("server", "limits", field.name), _kind(field.type), field.default, "a bound on input"
        )
        for field in attrs.fields(Limits)
    ]


def _kind(type_: object) -> str:
    return "number" if type_ is float else "integer"


_OLD = "accepted for 0.1.5's files; does nothing"

SETTINGS: tuple[Setting, ...] = (
    Setting(("address",), "text", None, "server of a client, host:port"),
    Setting(("addresses",), "texts", None, "servers of a client, tried in order"),
    Setting(("registry_addresses",), "texts", None, "the same as addresses"),
    Setting(("namespace",), "text", None, "whose specs, units and workers"),
    Setting(("retries",), "integer", 5, "attempts of a client's call"),
    Setting(("base_retry_seconds",), "number", 0.5, "first pause between attempts, seconds"),
    Setting(("default_lifetime",), "number", CLIENT_LEASE, "lease a client asks for, seconds"),
    Setting(("sessions",), "flag", True, "a client's calls that are sent again are done once"),
    Setting(("poll_seconds",), "number", 1.0, "how often what cannot wait is asked, seconds"),
    Setting(("worker",), "text", "fork_worker", "kind of worker"),
    Setting(("worker_job_fetch",), "integer", 1, "units of one spec that a worker fetches at once"),
    Setting(("work_spec_names",), "texts", None, "specs that a worker takes work of; none for all"),
    Setting(("runtimes",), "texts", None, "tags of a worker; none for all work"),
    Setting(("packages",), "flag", False, "a worker's heartbeats say what is installed"),
    Setting(("allow_modules",), "texts", None, "prefixes of modules that units may run; none: all"),
    Setting(("allow_commands",), "flag", None, "units may be commands; not where allow_modules is"),
    Setting(("auto_renew",), "flag", True, "a worker renews the lease while a unit runs"),
    Setting(("max_runtime",), "number", None, "how long a unit may run, seconds"),
    Setting(("cancel_seconds",), "number", 10.0, "from a unit's exception to SIGTERM, seconds"),
    Setting(("kill_seconds",), "number", 10.0, "from SIGTERM to SIGKILL, seconds"),
    Setting(("profile",), "any", None, "units to profile: {work_specs, destination}"),
    Setting(("fork_worker", "num_workers"), "integer", None, "children; none: by cores"),
    Setting(("fork_worker", "num_workers_per_core"), "number", 1.0, "children for each core"),
    Setting(("fork_worker", "poll_interval"), "number", 1.0, "between two looks, seconds"),
    Setting(("fork_worker", "spawn_interval"), "number", 0.01, "between two starts, seconds"),
    Setting(("fork_worker", "heartbeat_interval"), "number", 15.0, "between heartbeats, seconds"),
    Setting(("fork_worker", "child_lifetime"), "number", 10.0, "until a child ends, seconds"),
    Setting(("fork_worker", "stop_jobs_early"), "number", 15.0, "before a lease ends, seconds"),
    Setting(("fork_worker", "max_memory_gb"), "number", None, "memory of a child, GiB"),
    Setting(("fork_worker", "preload"), "texts", None, "modules that the parent imports"),
    Setting(("thread_worker", "num_workers"), "integer", None, "threads; none: by cores"),
    Setting(("thread_worker", "heartbeat_interval"), "number", 15.0, "between heartbeats, seconds"),
    Setting(("async_worker", "num_workers"), "integer", 100, "units at once"),
    Setting(("async_worker", "heartbeat_interval"), "number", 15.0, "between heartbeats, seconds"),
    Setting(("loop_worker", "heartbeat_interval"), "number", 15.0, "between heartbeats, seconds"),
    Setting(("server", "host"), "text", "localhost", "address to listen on"),
    Setting(("server", "port"), "integer", DEFAULT_PORT, "port to listen on; 0 takes a free one"),
    Setting(("server", "data"), "text", None, "data file, or :memory: to keep nothing"),
    Setting(("server", "httpd"), "text", None, "accepted; does nothing for now"),
    Setting(("server", "snapshot_dir"), "text", None, "directory of snapshots, made each hour"),
    Setting(("server", "rpclog"), "flag", False, "log every call by name, at level DEBUG"),
    Setting(("server", "modules"), "any", (), "plug-ins, each {module, class}"),
    Setting(("server", "namespaces"), "text", "separate", "separate, or shared: ignore them"),
    Setting(
        ("server", "tracebacks"), "flag", True, "send tracebacks of failed calls, without paths"
    ),
    *_limit_settings(),
    Setting(
        ("job_queue", "sqlite_path"), "text", None, "data file, where server.data is not given"
    ),
    Setting(
        ("job_queue", "restart_grace"), "number", 60.0, "leases after a start, at least, seconds"
    ),
    Setting(("job_queue", "require_token"), "flag", False, "refuse workers that name no attempt"),
    Setting(("job_queue", "limit_completed_count"), "integer", None, "ended units that stay"),
    Setting(("job_queue", "limit_completed_age"), "number", None, "how long they stay, seconds"),
    Setting(
        ("job_queue", "limits"), "any", {}, "limits that specs share by ``uses``: {name: number}"
    ),
    Setting(
        ("job_queue", "postgres_connect"), "text", None, "accepted; PostgreSQL is not offered yet"
    ),
    Setting(("job_queue", "postgres_schema"), "text", "public", _OLD),
    Setting(("job_queue", "snapshot_period_seconds"), "number", None, "between two snapshots"),
    Setting(("job_queue", "snapshot_path_format"), "text", None, "name, with {timestamp} in it"),
    Setting(("job_queue", "log_path_format"), "text", None, _OLD),
    Setting(("job_queue", "do_recover"), "flag", False, "no data file: begin from a snapshot"),
    Setting(("job_queue", "delete_snapshots_beyond"), "integer", None, "snapshots that stay"),
    Setting(("job_queue", "joblog"), "flag", False, _OLD),
)


def load_config(path: str | os.PathLike[str] | None) -> dict[str, Any]:
    """Read a whole configuration file.

    Arguments:
        path: a YAML file, or None.

    Returns:
        Everything in it, other applications' blocks too; ``{}`` for an empty file or None.

    Raises:
        ConfigError: the file cannot be read, is not YAML, or is not a map.
    """
    if path is None:
        return {}
    yaml = _required("yaml")
    try:
        text = Path(path).read_text(encoding="utf-8")
        loaded = yaml.safe_load(text)
    except OSError as error:
        raise ConfigError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{str(path)!r} is not UTF-8 text") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{str(path)!r} is not valid YAML: {_one_line(error)}") from error
    except RecursionError as error:
        raise ConfigError(f"{str(path)!r} is nested too deeply") from error
    return _map(loaded, str(path))


def parse_yaml(text: str) -> Any:
    """Read one YAML document, JSON too: plain values only.

    Raises:
        ConfigError: it is not valid YAML, or names a type that is no plain value.
    """
    yaml = _required("yaml")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"not valid YAML: {_one_line(error)}") from error
    except RecursionError as error:
        raise ConfigError("nested too deeply") from error


def coordinate_block(
    config: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Take our block out of a whole configuration and lay the environment over it.

    Arguments:
        config: a whole configuration as ``load_config`` gives it; None for the one that the
            application has set up with yakonfig, if it has.
        environ: variables; None for those of the process.

    Returns:
        A new map; the one that was passed stays as it is. Defaults are not filled in.

    Raises:
        ConfigError: the block is not a map, or a variable's value does not suit its setting.
    """
    found = _global_block() if config is None else config.get(config_name)
    block: dict[str, Any] = _copied(_map(found, config_name))
    variables = os.environ if environ is None else environ
    for setting in SETTINGS:
        if setting.variable in variables:
            _put(block, setting.path, _parsed(setting, variables[setting.variable]))
    return block


def check_server(block: Mapping[str, Any]) -> None:
    """Refuse keys in the server's parts of the block that no setting has.

    Raises:
        ConfigError: names the key, and the known one that is nearest to it.
    """
    for part in (("server",), ("server", "limits"), ("job_queue",)):
        _check_part(block, part)


def dump_config(config: Mapping[str, Any]) -> str:
    """Write a configuration as YAML.

    Arguments:
        config: maps, lists and plain values; take secrets out before.
    """
    text: str = _required("yaml").safe_dump(_copied(config), sort_keys=False, allow_unicode=True)
    return text


def install_config(config: Mapping[str, Any], modules: Iterable[object] = ()) -> dict[str, Any]:
    """Set up yakonfig's global configuration with an application's configurable modules.

    Arguments:
        config: a whole configuration as ``load_config`` gives it.
        modules: objects with ``config_name`` and whatever else yakonfig asks of one.

    Returns:
        The configuration with the modules' defaults filled in, now the global one.

    Raises:
        ConfigError: yakonfig is missing, or a module refuses the configuration.
    """
    yakonfig = _yakonfig()
    try:
        installed = yakonfig.set_default_config(list(modules), config=_copied(config))
    except yakonfig.ConfigurationError as error:
        raise ConfigError(_one_line(error)) from error
    return dict(installed)


def installed_config() -> dict[str, Any] | None:
    """Give yakonfig's global configuration; None where none is set up."""
    try:
        found: dict[str, Any] = _yakonfig().get_global_config()
    except KeyError:
        return None
    return found


def restore_config(config: Mapping[str, Any] | None) -> None:
    """Set up what ``installed_config`` gave.

    Raises:
        ConfigError: yakonfig is missing.
    """
    if config is None:
        _yakonfig().clear_global_config()
    else:
        _yakonfig().set_global_config(config)


def _global_block() -> Any:
    """What an application has set up; one that has not imported yakonfig has set nothing up."""
    if "yakonfig" not in sys.modules:
        return None
    try:
        return _yakonfig().get_global_config(config_name)
    except (KeyError, TypeError):
        return None


def _yakonfig() -> ModuleType:
    """Import yakonfig 0.7.7, made fit for Pythons without ``collections.Mapping`` (3.10 and on)."""
    package = _required("yakonfig")
    names = ("configurable", "merge", "toplevel")
    parts = [importlib.import_module(f"yakonfig.{name}") for name in names]
    # The attribute yakonfig.yakonfig of the package is the submodule of that name.
    for part in (*parts, importlib.import_module("yakonfig.yakonfig")):
        if getattr(part, "collections", None) is not None:
            vars(part)["collections"] = abc
        if getattr(part, "yaml", None) is not None:
            vars(part)["yaml"] = _SafeYaml
        if getattr(part, "yaml_mod", None) is not None:
            vars(part)["yaml_mod"] = _SafeYaml
    return package


class _SafeYaml:
    """What yakonfig's modules use of PyYAML, with a loader that makes plain values only."""

    @staticmethod
    def load(stream: Any, loader: object = None) -> Any:
        del loader
        return _required("yaml").safe_load(stream)

    @staticmethod
    def dump(value: object, stream: Any = None) -> Any:
        return _required("yaml").safe_dump(value, stream)


def _required(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if error.name not in {name, "six"}:
            raise
        message = f"configuration needs {error.name!r}: pip install 'coordinate-protocol[config]'"
        raise ConfigError(message) from error


def _check_part(block: Mapping[str, Any], part: tuple[str, ...]) -> None:
    found: Any = block
    for key in part:
        found = _map(found.get(key), ".".join((config_name, *part)))
    depth = len(part)
    known = {s.path[depth] for s in SETTINGS if len(s.path) > depth and s.path[:depth] == part}
    for key in found:
        if key not in known:
            raise ConfigError(f"unknown setting {_unknown(part, key, known)}")


def _unknown(part: tuple[str, ...], key: object, known: Iterable[str]) -> str:
    where = ".".join((config_name, *part))
    near = difflib.get_close_matches(str(key), sorted(known), 1, 0.0)
    return f"{f'{where}.{key}'!r}: did you mean {f'{where}.{near[0]}'!r}?"


def _parsed(setting: Setting, text: str) -> object:
    try:
        return _PARSERS[setting.kind](text)
    except (KeyError, ValueError):
        raise ConfigError(f"{setting.variable}={text!r} is not {_NOUNS[setting.kind]}") from None


def _flag(text: str) -> bool:
    return {"1": True, "true": True, "yes": True, "on": True}.get(text.lower()) or _denied(text)


def _denied(text: str) -> bool:
    return {"0": False, "false": False, "no": False, "off": False, "": False}[text.lower()]


def _texts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


_PARSERS: Mapping[str, Any] = {
    "text": str,
    "integer": int,
    "number": float,
    "flag": _flag,
    "texts": _texts,
}
_NOUNS: Mapping[str, str] = {
    "integer": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "any": "possible in the environment: say it in the file",
}


def _put(block: dict[str, Any], path: tuple[str, ...], value: object) -> None:
    for depth, key in enumerate(path[:-1], 1):
        block[key] = _map(block.get(key), ".".join((config_name, *path[:depth])))
        block = block[key]
    block[path[-1]] = value


def _map(value: Any, name: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ConfigError(f"{name!r} should be a map of settings, not {type(value).__name__}")
    return dict(value)


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
