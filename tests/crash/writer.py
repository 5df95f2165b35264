"""A server without its network, and its clients, in one process that is there to be killed.

``python -m tests.crash.writer`` reads one line of JSON for each run, forks, and prints the child's
pid; the child waits until somebody opens its pipe for writing, so that a tracer can come first.
When it has ended its exit status is printed.
"""

import json
import os
import random
import sys
from functools import partial
from pathlib import Path

from attrs import frozen

from coordinate_protocol.messages import Failure
from coordinate_server.store import StoreError
from coordinate_server.store.sqlite import SqliteStore
from tests.crash.diary import Diary
from tests.crash.workload import CLIENTS, Client
from tests.server.house import House, result_of

DISK_FULL = "disk_full"
STOPPED = 3
"""The exit status of one whose store has failed."""


@frozen
class Run:
    """What one writer does.

    Arguments:
        data: the data file; made if there is none.
        diary: the log of what was asked and answered.
        gate: a named pipe: it begins when that has been opened for writing.
        seed: for all that it chooses.
        rounds: how many groups it commits.
        backlog: how many rows may wait; a small number has rows written with each commit.
        checkpoint: after how many pages of the log they are moved into the file.
    """

    data: str
    diary: str
    gate: str
    seed: int
    rounds: int = 40
    backlog: int = 60
    checkpoint: int = 40


def write(run):
    """Have the clients ask until the rounds are over or the store fails; gives the exit status."""
    try:
        _write(run, Diary(run.diary), random.Random(run.seed))
    except StoreError as error:
        _say(str(error))
        return STOPPED
    return 0


def _write(run, diary, chance):
    clients = {number: Client(number, run.seed) for number in range(CLIENTS)}
    parts = chance.choice([1, 2])
    for _ in range(parts):
        # A second part begins with a clean stop, which moves the log into the file.
        store = opened(run)
        try:
            _serve(store, clients, diary, chance, run.rounds // parts)
        finally:
            store.close()


def opened(run):
    """Give the store, whose log is moved into the file much earlier than usual."""
    store = SqliteStore(Path(run.data), backlog_rows=run.backlog)
    store._db.execute(f"PRAGMA wal_autocheckpoint = {run.checkpoint}")
    return store


def _serve(store, clients, diary, chance, rounds):
    house = House(store=store)
    wires = {number: _connected(house, client) for number, client in clients.items()}
    for _ in range(rounds):
        asking = [number for number in clients if chance.random() < 0.7]
        asking = [number for number in asking if not clients[number].refused]
        for number in asking:
            _ask(house, wires[number], diary, number, clients[number])
        house.loop.settle()
        if house.failures:
            raise house.failures[0]
        if chance.random() < 0.2:
            store.settle(chance.choice([1, 10, 100]))


def _connected(house, client):
    session = client.oracle.session
    options = {} if session is None else {"protocol": [1], "session": bytes.fromhex(session)}
    return house.client(**options)


def _ask(house, wire, diary, number, client):
    request = client.next_request()
    diary.asked(number, request)
    answer = wire.answer(
        request["method"],
        *request["params"],
        **{name: request[name] for name in ("seq", "low") if name in request},
    )
    house.backend.after_commit(partial(_take, answer, diary, number, client, request))


def _take(answer, diary, number, client, request):
    if isinstance(answer, Failure):
        assert answer.code == DISK_FULL, f"{request} was answered with {answer}"
        diary.refused(number, answer.message)
        client.refused = True
        return
    result = diary.answered(number, result_of(answer))
    client.answered(request, result)


def _say(text):
    os.write(2, f"{text}\n".encode())


def main():
    """Fork a writer for each line."""
    for line in sys.stdin:
        run = Run(**json.loads(line))
        pid = os.fork()
        if not pid:
            _become(run)
        os.write(1, b"%d\n" % pid)
        _, status = os.waitpid(pid, 0)
        os.write(1, b"%d\n" % os.waitstatus_to_exitcode(status))


def _become(run):
    status = 1
    try:
        _allow_tracing()
        os.close(os.open(run.gate, os.O_RDONLY))
        status = write(run)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the parent must not go on twice
        _say(repr(error))
    finally:
        os._exit(status)


def _allow_tracing():
    """Let any process of this user trace this one: where Yama is on, only parents may."""
    import ctypes

    pr_set_ptracer, anybody = 0x59616D61, ctypes.c_ulong(-1)
    ctypes.CDLL(None).prctl(pr_set_ptracer, anybody, 0, 0, 0)


if __name__ == "__main__":
    main()
