"""The control socket when one of its two ends goes away in the middle of a backup."""

import asyncio
import json
import threading
from contextlib import closing

import pytest

from coordinate_server import control as control_module
from coordinate_server.control import Control
from coordinate_server.control_client import NoServer, backup_by_server
from coordinate_server.control_socket import bound_socket, control_path
from coordinate_server.store import SqliteStore, StoreError


@pytest.fixture
def data(tmp_path):
    """Where the data file is."""
    return tmp_path / "coordinate.db"


@pytest.fixture
def store(data):
    """An open data file."""
    with closing(SqliteStore(data)) as store:
        yield store


def run(data, store, during):
    """Run something while a control socket is there whose backups never end by themselves."""

    async def main():
        begun, gone = asyncio.Event(), asyncio.Event()

        async def endless(store, dest):
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                gone.set()

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(control_module, "backup", endless)
            control = Control(data, store)
            await control.start()
            try:
                return await asyncio.wait_for(during(control, begun, gone), 30)
            finally:
                await control.stop()

    return asyncio.run(main())


async def ask(data):
    """Ask for a backup, and give the connection."""
    reader, writer = await asyncio.open_unix_connection(control_path(data))
    request = {"command": "backup", "to": str(data.with_name("copy.db"))}
    writer.write(json.dumps(request).encode() + b"\n")
    await writer.drain()
    return reader, writer


def test_a_server_that_stops_gives_the_backup_up_and_says_so(data, store):
    async def during(control, begun, gone):
        reader, writer = await ask(data)
        await begun.wait()
        await control.stop()
        assert gone.is_set()
        answer = json.loads(await reader.read())
        writer.close()
        await writer.wait_closed()
        return answer

    assert run(data, store, during) == {"error": "the server stops: try again"}


def test_a_client_that_goes_away_gives_the_backup_up(data, store):
    async def during(control, begun, gone):
        _reader, writer = await ask(data)
        await begun.wait()
        writer.close()
        await writer.wait_closed()
        await gone.wait()
        reader, writer = await asyncio.open_unix_connection(control_path(data))
        writer.write(b"{}\n")
        answer = json.loads(await reader.read())
        writer.close()
        await writer.wait_closed()
        return answer

    assert "error" in run(data, store, during)


def test_a_server_that_is_killed_meanwhile_is_told_of(data):
    """What was written is still a part, and the client knows that there is no backup."""
    with closing(bound_socket(control_path(data))) as listening:
        listening.listen()

        def answer_nothing():
            connection, _address = listening.accept()
            with connection:
                connection.recv(1000)

        thread = threading.Thread(target=answer_nothing)
        thread.start()
        with pytest.raises(StoreError, match="ended before the backup did"):
            backup_by_server(data, data.with_name("copy.db"))
        thread.join()


def test_what_nobody_listens_at_is_no_server(data):
    bound_socket(control_path(data)).close()
    with pytest.raises(NoServer):
        backup_by_server(data, data.with_name("copy.db"))
    control_path(data).unlink()
    with pytest.raises(NoServer):
        backup_by_server(data, data.with_name("copy.db"))


def test_a_name_that_no_socket_can_have_is_said_once(tmp_path, caplog):
    data = tmp_path / ("long" * 30)
    with closing(SqliteStore(data)) as store:

        async def main():
            control = Control(data, store)
            await control.start()
            await control.stop()

        asyncio.run(main())
    assert "no backups while this server runs" in caplog.text
