"""coordinated: puts the rooms of the server together and runs them."""

import asyncio
import importlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import click
from attrs import define, field

from coordinate_protocol.configuration import ConfigError, dump_config, load_config
from coordinate_server import collector
from coordinate_server._version import __version__
from coordinate_server.assembly import ServiceSettings, assembled
from coordinate_server.commands import COMMANDS
from coordinate_server.config import ServerConfig, server_config
from coordinate_server.control import Control
from coordinate_server.model import Model
from coordinate_server.model.errors import DamagedRow
from coordinate_server.model.settings import ModelSettings
from coordinate_server.net.listening import ListenError, listen, shown_address
from coordinate_server.net.server import Server
from coordinate_server.progress import Progress
from coordinate_server.proxy import Backend, CollisionError
from coordinate_server.recovery import recover
from coordinate_server.service.area import Area
from coordinate_server.service.clock import Clock
from coordinate_server.service.committer import Committer
from coordinate_server.service.plugins import Plugin, PluginError, PluginName, in_threads, load
from coordinate_server.service.timekeeper import Timekeeper
from coordinate_server.snapshots import Snapshots
from coordinate_server.store import open_store
from coordinate_server.store.interface import Store, StoreError
from coordinate_server.upkeep import Upkeep

__all__ = ["main"]

_LOG = logging.getLogger("coordinate.server")
_STOP_SECONDS = 10.0
_SETTLED_AT_ONCE = 10_000
_PLUGIN_THREADS = 32
_THREAD = "plug-in"
_JOIN_SECONDS = 0.2
# What the model may stumble over in rows that are damaged and can be read all the same.
_STUMBLES = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
_LOCAL = ("127.", "[::1]")


class _Stopped(Exception):
    """The server cannot run, or go on; the message is one line."""


@define
class _Daemon:
    """One running server.

    Arguments:
        config: what it is told.
        store: its data.
        say: writes one line for whoever started it.
    """

    config: ServerConfig
    store: Store
    say: Callable[[str], None]
    failure: StoreError | None = field(default=None, init=False)
    _executor: ThreadPoolExecutor = field(init=False)
    _stop: asyncio.Event = field(factory=asyncio.Event, init=False)
    _server: Server | None = field(default=None, init=False)
    _timekeeper: Timekeeper | None = field(default=None, init=False)

    @_executor.default
    def _threads(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(_PLUGIN_THREADS, _THREAD)

    async def run(self) -> None:
        """Serve until a signal comes.

        Raises:
            _Stopped: the store failed: what was asked last may or may not have been kept.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        sockets = listen(self.config.host, self.config.port)
        control = Control(self.config.data, self.store)
        try:
            model, clock = self._model()
            committer = Committer(model, self.store, clock, loop, self._fail)
            plugins = self._plugins(clock, committer)
            backend = self._backend(model, clock, committer, plugins)
            self._server = Server(backend, sockets, self.config.limits)
            await self._server.start()
            self._timekeeper = Timekeeper(model, clock, committer, loop)
            self._timekeeper.start()
            await control.start()
            self._announce([shown_address(sock) for sock in sockets])
            await self._serve(self._server, model, clock, committer)
        finally:
            await control.stop()
            self._executor.shutdown(wait=False, cancel_futures=True)
            for sock in sockets:
                sock.close()

    async def _serve(
        self, server: Server, model: Model, clock: Clock, committer: Committer
    ) -> None:
        upkeep = [self._kept_up(Upkeep(self.store, model, clock, committer, self._fail).run())]
        if self.config.snapshots is not None:
            snapshots = Snapshots(self.config.snapshots, self.store, lambda: committer.commits)
            upkeep.append(self._kept_up(snapshots.run()))
        await self._stop.wait()
        for task in upkeep:
            task.cancel()
        if self._timekeeper is not None:
            self._timekeeper.stop()
        if self.failure is None:
            await server.stop(_STOP_SECONDS)
            committer.flush()
        if self.failure is not None:
            raise _Stopped(f"stopped, nothing more was acknowledged: {self.failure}")

    def _model(self) -> tuple[Model, Clock]:
        """Rebuild the state."""
        settings = ModelSettings(
            key_bytes=self.config.limits.key_bytes,
            unit_data_bytes=self.config.limits.unit_data_bytes,
            restart_grace=self.config.restart_grace,
            limit_completed_count=self.config.limit_completed_count,
            limit_completed_age=self.config.limit_completed_age,
            limits=self.config.shared_limits,
            session_replies=self.config.limits.requests_in_flight,
            session_bytes=self.config.limits.message_bytes,
            require_token=self.config.require_token,
        )
        self._settle_first()
        pages = Progress(self.store.pages, self.say).pages
        # A store in memory has its rows there already, so its units would leave for nothing.
        reader = None if self.config.data is None else self.store
        try:
            with collector.at_rest():
                model = Model.load_pages(pages, Clock().instant(), settings, reader)
        except (DamagedRow, *_STUMBLES) as error:
            raise _Stopped(
                f"{str(self.config.data)!r} is damaged: {str(error) or repr(error)};"
                " `coordinated check` says all of it"
            ) from error
        collector.set_up()
        return model, Clock(model.clock)

    def _settle_first(self) -> None:
        """Write what waits in the journal: to read rows is quicker than to read rows under it."""
        before = 0
        while self.store.backlog != before:
            before = self.store.settle(_SETTLED_AT_ONCE)

    def _plugins(self, clock: Clock, committer: Committer) -> list[Plugin]:
        loop = asyncio.get_running_loop()
        names = [PluginName(plug.module, plug.class_name) for plug in self.config.modules]
        run = in_threads(loop, self._executor)
        plugins = []
        for name in names:
            area = partial(Area, f"{name}\0".encode(), self.store, committer, loop)
            offered: dict[str, Callable[[], object]] = {
                "clock": lambda: clock,
                "area": area,
                "config": lambda: self.config.tree,
            }
            plugins.append(load(name, offered, run))
        return plugins

    def _backend(
        self, model: Model, clock: Clock, committer: Committer, plugins: list[Plugin]
    ) -> Backend:
        config = self.config
        settings = ServiceSettings(
            limits=config.limits,
            namespace=config.namespace,
            shared=config.shared,
            shown_config=config.shown,
            tracebacks=config.tracebacks,
            rpclog=config.rpclog,
        )
        loop = asyncio.get_running_loop()
        return assembled(model, clock, committer, loop, settings, plugins)

    def _announce(self, addresses: list[str]) -> None:
        data = self.config.data
        self.say("data in memory only" if data is None else f"data in {data}")
        for address in addresses:
            self.say(f"listening on {address}")
        for address in addresses:
            if not address.startswith(_LOCAL):
                _LOG.warning(
                    "listening on %s WITHOUT AUTHENTICATION: whoever reaches this port can read,"
                    " change and delete every job",
                    address,
                )

    def _kept_up(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        task.add_done_callback(self._upkeep_ended)
        return task

    def _upkeep_ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("upkeep failed", exc_info=task.exception())
            self._stop.set()

    def _fail(self, error: StoreError) -> None:
        self.failure = error
        self._stop.set()
        if self._server is not None:
            self._server.abort()


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--host", help="Address to listen on; localhost unless told otherwise.")
@click.option(
    "--port", "-p", type=click.IntRange(0, 65535), help="Port to listen on; 0: a free one."
)
@click.option("--data", type=click.Path(dir_okay=False), metavar="FILE", help="Data file.")
@click.option("--memory", is_flag=True, help="Keep data in memory only; it ends with the server.")
@click.option(
    "--pid", type=click.Path(dir_okay=False), metavar="FILE", help="Write the process id."
)
@click.option("--snapshot-dir", metavar="DIR", help="Make a snapshot there each hour.")
@click.option("--httpd", metavar="[IP]:PORT", help="Accepted; does nothing for now.")
@click.option("--config", "-c", type=click.Path(), metavar="FILE", help="Configuration file, YAML.")
@click.option("--verbose", "-v", is_flag=True, help="Log more.")
@click.option("--quiet", "-q", is_flag=True, help="Log errors only, and print nothing.")
@click.option("--dump-config", is_flag=True, help="Print the effective configuration and stop.")
@click.version_option(__version__, prog_name="coordinated")
@click.pass_context
def main(ctx: click.Context, /, **options: Any) -> None:
    """Run the Coordinate job server until SIGTERM or SIGINT.

    With a command, do that instead; --config and --data say which file it is about.
    """
    if ctx.invoked_subcommand is not None:
        ctx.obj = partial(_config_of, options)
        return
    _set_logging(verbose=options["verbose"], quiet=options["quiet"])
    try:
        if options["memory"] and options["data"]:
            raise ConfigError("--memory and --data exclude each other: give one of them")
        config = server_config(load_config(options["config"]), _flags(options))
        if options["dump_config"]:
            click.echo(dump_config(config.shown), nl=False)
            return
        _warn(config)
        _run(config, options["pid"], _silent if options["quiet"] else click.echo)
    except (
        *(CollisionError, ConfigError, ListenError, PluginError, StoreError, _Stopped),
    ) as error:
        click.echo(f"coordinated: {' '.join(str(error).split())}", err=True)
        _leave(1)
    _leave(0)


for _command in COMMANDS:
    main.add_command(_command)


def _config_of(options: Mapping[str, Any]) -> ServerConfig:
    """Put the settings together for a command, which knows one kind of error.

    Raises:
        StoreError: they are wrong.
    """
    try:
        return server_config(load_config(options["config"]), _flags(options))
    except ConfigError as error:
        raise StoreError(str(error)) from error


def _leave(code: int) -> NoReturn:
    """End the process; a plug-in that blocks had its time, Python would wait for it for ever."""
    threads = [thread for thread in threading.enumerate() if thread.name.startswith(_THREAD)]
    for thread in threads:
        thread.join(_JOIN_SECONDS)
    if any(thread.is_alive() for thread in threads):
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)
    sys.exit(code)


def _run(config: ServerConfig, pid_file: str | None, say: Callable[[str], None]) -> None:
    store = _open_store(config, say)
    try:
        with _PidFile(pid_file), asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(config, store, say))
    finally:
        store.close()


async def _serve(config: ServerConfig, store: Store, say: Callable[[str], None]) -> None:
    await _Daemon(config, store, say).run()


def _open_store(config: ServerConfig, say: Callable[[str], None]) -> Store:
    snapshots = config.snapshots
    if config.data is not None:
        _make_directory("data", config.data)
        if snapshots is not None and snapshots.recover:
            recover(snapshots.names, config.data, config.namespace, say)
        if snapshots is not None and snapshots.period is not None:
            _make_directory("snapshots", snapshots.names.path(0))
    return open_store(config.data)


def _make_directory(what: str, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _Stopped(f"cannot keep {what} in {path.parent}: {error.strerror}") from error


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Take uvloop where the extra [fast] brought it."""
    try:
        uvloop = importlib.import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


@define
class _PidFile:
    path: str | None

    def __enter__(self) -> None:
        if self.path is not None:
            try:
                Path(self.path).write_text(f"{os.getpid()}\n", encoding="ascii")
            except OSError as error:
                raise _Stopped(f"cannot write {self.path!r}: {error.strerror}") from error

    def __exit__(self, *exc: object) -> None:
        if self.path is not None:
            Path(self.path).unlink(missing_ok=True)


def _flags(options: Mapping[str, Any]) -> dict[str, Any]:
    names = ("host", "port", "data", "httpd", "snapshot_dir")
    flags = {name: options[name] for name in names}
    return flags | {"data": ":memory:"} if options["memory"] else flags


def _warn(config: ServerConfig) -> None:
    if config.httpd is not None:
        _LOG.warning("httpd is accepted and does nothing for now")
    if config.snapshots is None and config.wants_snapshots:
        _LOG.warning(
            "there are no snapshots: job_queue.snapshot_path_format does not say where they are"
        )
    if config.postgres:
        _LOG.warning(
            "job_queue.postgres_connect does nothing for now: see where data is kept below"
        )


def _set_logging(*, verbose: bool, quiet: bool) -> None:
    level = logging.DEBUG if verbose else logging.ERROR if quiet else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")


def _silent(line: str) -> None:
    del line


if __name__ == "__main__":
    main()
