"""The control socket of a running server: what its own user may ask of it, and nobody by TCP.

A connection has one request, a line of JSON, and its answer is the line that comes back. Whoever
closes it before has given up what was asked::

    {"command": "backup", "to": "/absolute/path"}
    {"size": 4096, "units": 12}        or {"error": "one line"}
"""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any, Final

from attrs import define, field

from coordinate_server.backups import backup
from coordinate_server.control_socket import bound_socket, control_path, remove_socket
from coordinate_server.store.interface import Store, StoreError

__all__ = ["Control"]

_LOG = logging.getLogger("coordinate.server")
_LONGEST_REQUEST: Final = 2**16
_PATIENCE: Final = 10.0


@define
class Control:
    """Listens beside the data file while the server runs.

    Arguments:
        data: the data file, which this server holds; None for no file, and no socket.
        store: what is in it.
    """

    data: Path | None
    store: Store
    _server: asyncio.Server | None = field(default=None, init=False)
    _tasks: set[asyncio.Task[Any]] = field(factory=set, init=False)

    async def start(self) -> None:
        """Listen; where that cannot be, say so: the server does without."""
        if self.data is None:
            return
        path = control_path(self.data)
        try:
            listening = bound_socket(path)
        except OSError as error:
            _LOG.warning("no backups while this server runs: no socket %s: %s", path, error)
            return
        self._server = await asyncio.start_unix_server(
            self._serve, sock=listening, limit=_LONGEST_REQUEST
        )

    async def stop(self) -> None:
        """Listen no more, and give up the backups that are being made."""
        if self.data is None or self._server is None:
            return
        self._server.close()
        remove_socket(control_path(self.data))
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        try:
            async with asyncio.timeout(_PATIENCE):
                line = await reader.readline()
            answer = await self._answer_unless_gone(line, reader)
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        except (OSError, ValueError, TimeoutError) as error:
            _LOG.debug("control socket: %s", error)
        except asyncio.CancelledError:
            # The stream's own callback would take a cancelled task for a fault.
            writer.write(json.dumps({"error": "the server stops: try again"}).encode() + b"\n")
        finally:
            writer.close()

    async def _answer_unless_gone(
        self, line: bytes, reader: asyncio.StreamReader
    ) -> dict[str, Any]:
        """Do what is asked until it is done, or until nobody waits for it any more."""
        answer = asyncio.create_task(self._answer(line))
        gone = asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            return answer.result() if answer.done() else {"error": "given up"}
        finally:
            answer.cancel()
            gone.cancel()
            await asyncio.wait({answer, gone})

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            report = await backup(self.store, _destination(line))
        except StoreError as error:
            return {"error": str(error)}
        return {"size": report.size, "units": report.units}


def _destination(line: bytes) -> Path:
    """Read a request; the only command is ``backup``.

    Raises:
        StoreError: it is another, or none.
    """
    try:
        request = json.loads(line)
    except ValueError as error:
        raise StoreError(f"a request is a line of JSON, not {line[:100]!r}") from error
    match request:
        case {"command": "backup", "to": str(to)} if Path(to).is_absolute():
            return Path(to)
    raise StoreError('a request is {"command": "backup", "to": "/absolute/path"}')
