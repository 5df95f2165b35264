"""The command `coordinate_worker`: what runs on every machine that works."""

import argparse
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from coordinate_client._version import __version__
from coordinate_client.exceptions import CoordinateException
from coordinate_client.workers.codes import BORED, ERROR, RAN
from coordinate_client.workers.daemon import go_into_background
from coordinate_client.workers.fork import ForkWorker
from coordinate_client.workers.logs import FORMATS, set_up_logs
from coordinate_client.workers.loop import LoopWorker
from coordinate_client.workers.pidfile import PidFileTaken, pidfile
from coordinate_client.workers.settings import WORKERS, WorkerSettings
from coordinate_client.workers.single import SingleWorker
from coordinate_client.workers.threads import ThreadWorker
from coordinate_client.workers.worker import Worker
from coordinate_protocol.configuration import (
    ConfigError,
    coordinate_block,
    install_config,
    load_config,
)

__all__ = ["main"]

logger = logging.getLogger("coordinate_client.worker")

USAGE = 64
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_EPILOG = """\
Exit codes: 0 it ran, 1 an error, 2 nothing to do (with --once), 64 wrong usage.
SIGTERM and SIGINT: what runs is finished, then it stops; a second one stops now and gives back what
runs. SIGABRT stops at once.
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose usage errors take one line, and have a status that means nothing else."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"{self.prog}: {message} (see '{self.prog} --help')\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="coordinate_worker",
        description="Run work units of a Coordinate server, until it is stopped.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("-c", "--config", type=Path, metavar="FILE", help="configuration file")
    add("--address", metavar="HOST:PORT", help="the server; before COORDINATE_ADDRESS and the file")
    add("--worker", choices=WORKERS, help="the kind of worker (default: fork_worker)")
    add("--num-workers", type=_count, metavar="N", help="how many units run at once")
    add("--work-spec", action="append", metavar="NAME", help="take only work of it; repeatable")
    add("--once", action="store_true", help="end when there is no work")
    add("--foreground", action="store_true", help="do not go into the background")
    add("--pidfile", type=Path, metavar="FILE", help="write the number of the process into it")
    add("--logpath", type=Path, metavar="FILE", help="add log lines to it, not to standard error")
    add("--log-format", choices=FORMATS, default=FORMATS[0], help="lines for people, or JSON")
    add("--log-level", choices=_LEVELS, default="INFO", help="the least that is logged")
    add("--version", action="version", version=f"%(prog)s {__version__}")
    return parser


def _count(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number, 1 or more")
    return number


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command.

    Args:
        arguments: of the command line; None for those of the process.

    Raises:
        SystemExit: always, with the status.
    """
    asked = _parser().parse_args(arguments)
    try:
        config = load_config(asked.config)
        block = _block(config, asked)
        worker = _made(block, once=asked.once)
        set_up_logs(asked.log_format, asked.log_level, _absolute(asked.logpath))
        if asked.config is not None:
            # The units' own code finds the application's configuration where it always did.
            install_config(config)
    except (ConfigError, CoordinateException) as error:
        _stop(str(error))
    except OSError as error:
        _stop(f"cannot write the log: {error}")
    # What a unit needs may lie where the command is given, as with "python script.py".
    sys.path.insert(0, str(Path.cwd()))
    if not asked.foreground:
        go_into_background()
    try:
        with pidfile(_absolute(asked.pidfile)):
            status = _run(worker, once=asked.once)
    except (PidFileTaken, OSError) as error:
        logger.error("%s", error)  # noqa: TRY400 - one line tells all
        status = ERROR
    logging.shutdown()
    sys.exit(status)


def _stop(message: str) -> NoReturn:
    sys.stderr.write(f"coordinate_worker: {' '.join(message.split())}\n")
    sys.exit(ERROR)


def _absolute(path: Path | None) -> Path | None:
    return None if path is None else path.absolute()


def _block(config: Mapping[str, Any], asked: argparse.Namespace) -> dict[str, Any]:
    """The `coordinate:` block, with what the command line says laid over it."""
    block = coordinate_block(config)
    if asked.address is not None:
        block = {k: v for k, v in block.items() if k not in {"addresses", "registry_addresses"}}
        block["address"] = asked.address
    if asked.worker is not None:
        block["worker"] = asked.worker
    if asked.work_spec is not None:
        block["work_spec_names"] = asked.work_spec
    if asked.num_workers is not None:
        kind = WorkerSettings.of(block).worker
        block[kind] = {**(block.get(kind) or {}), "num_workers": asked.num_workers}
    return block


def _made(block: Mapping[str, Any], *, once: bool) -> Worker:
    """The worker that the block asks for."""
    kind = WorkerSettings.of(block).worker
    if kind == "single_worker":
        return SingleWorker(block)
    if kind == "async_worker":
        from coordinate_client.workers.async_worker import AsyncWorker

        return AsyncWorker(block, once=once)
    kinds: dict[str, Callable[..., Worker]] = {
        "fork_worker": ForkWorker,
        "loop_worker": LoopWorker,
        "thread_worker": ThreadWorker,
    }
    return kinds[kind](block, once=once)


def _run(worker: Worker, *, once: bool) -> int:
    """Run a worker from its first sign of life to its last; the status to exit with."""
    worker.take_id()
    settings = worker.settings
    specs = settings.work_spec_names
    logger.info(
        "%s %s, %s, process %d: work of %s",
        settings.worker,
        worker.registered_id,
        worker.task_master.settings.addresses[0],
        os.getpid(),
        "all specs" if specs is None else ", ".join(specs),
    )
    try:
        if isinstance(worker, ForkWorker):
            return worker.supervise()
        ran = worker.run()
    except CoordinateException as error:
        logger.error("%s", str(error).split("\n", 1)[0])  # noqa: TRY400 - one line tells all
        return ERROR
    finally:
        with suppress(CoordinateException):
            worker.task_master.release_worker(worker.registered_id)
        worker.task_master.close()
        logger.info("stopped")
    # One that goes on until it is stopped has done what it should.
    return BORED if not ran and (once or type(worker) is SingleWorker) else RAN


if __name__ == "__main__":
    main()
