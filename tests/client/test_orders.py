"""What is asked of workers, and how they learn it."""

import asyncio
import threading

import pytest

from coordinate_client import (
    AsyncTaskMaster,
    ClientClosed,
    InvalidAnswer,
    NoSuchWorkSpecError,
    ProgrammerError,
    TaskMaster,
    Unsupported,
)
from coordinate_client.orders import NO_ORDERS, CancelOrder, Orders
from tests.client.scripted import HELLO, OLD_HELLO, Hello, ScriptedServer

SPEC = {"name": "s", "min_gb": 1}
NOTHING = {"position": b"", "mode": "RUN", "cancel": []}
SOMETHING = {
    "position": b"p",
    "mode": "IDLE",
    "cancel": [(b"s", "a", 7, "why"), ("s", b"\xff", 8, None)],
    "packages": True,
}


def master_of(answers, hello=None, kind=TaskMaster):
    """A TaskMaster, and a server that knows orders."""
    said = Hello(("sessions", "orders")) if hello is None else hello
    server = ScriptedServer(answers, hello=said)
    return server.client(kind), server


# ---- the words of it ----


def test_orders_are_told_by_a_heartbeat():
    """With what the worker says of itself."""
    master, server = master_of({"worker_heartbeat": (True, None, SOMETHING)})
    orders = master.heartbeat("w", "RUN", 60, {"pid": 7}, "p", children=["c"])
    cancelled = (CancelOrder("s", "a", 7, "why"), CancelOrder("s", b"\xff", 8, None))
    assert orders == Orders(b"p", "IDLE", cancelled, packages=True)
    options = {"orders": True, "children": ["c"]}
    assert server.sent("worker_heartbeat") == [["w", "RUN", 60, {"pid": 7}, "p", options]]


def test_other_orders_are_waited_for_in_slices_of_a_day():
    """Each is a heartbeat of its own."""
    master, server = master_of({})

    def nothing(params):
        server.clock.now += params[5]["wait"]
        return True, None, NOTHING

    server.answers["worker_heartbeat"] = nothing
    assert master.heartbeat("w", seen=b"", wait=100_000) == Orders(b"", "RUN")
    options = [params[5] for params in server.sent("worker_heartbeat")]
    assert [option["wait"] for option in options] == [86400, 13600]
    assert all(option["seen"] == b"" for option in options)


def test_who_follows_no_orders_does_not_wait():
    """There is something to learn at once."""
    master, server = master_of({"worker_heartbeat": (True, None, NOTHING)})
    master.heartbeat("w", wait=60)
    assert server.sent("worker_heartbeat")[0][5] == {"orders": True}


@pytest.mark.parametrize("hello", [OLD_HELLO, HELLO], ids=["0.1.5", "without orders"])
def test_servers_without_orders_are_told_of_the_worker_alone(hello):
    """They ask nothing, at once."""
    answers = {"worker_heartbeat": (True, None), "worker_unregister": (True, None)}
    master, server = master_of(answers, hello)
    assert master.heartbeat("w", seen=b"", wait=60, children=["c"]) is NO_ORDERS
    assert server.sent("worker_heartbeat") == [["w", "RUN", 6000, None, None]]
    assert master.release_worker("w", [("s", "a")])
    assert server.sent("worker_unregister") == [["w"]]


@pytest.mark.parametrize("answer", [None, (True,), (True, None, {}), (True, None, 5)])
def test_an_answer_that_is_no_orders_is_refused(answer):
    """It is the server's error."""
    master, _ = master_of({"worker_heartbeat": answer})
    with pytest.raises(InvalidAnswer, match="worker_heartbeat"):
        master.heartbeat("w")


def test_a_wait_that_is_no_time_is_refused():
    """Before anything is sent."""
    master, server = master_of({})
    with pytest.raises(ProgrammerError):
        master.heartbeat("w", seen=b"", wait=-1)
    assert server.calls == []


def test_a_released_worker_names_what_may_have_ended_it():
    """So that it counts as a lost lease."""
    master, server = master_of({"worker_unregister": (True, None)})
    assert master.release_worker("w", [("s", b"\xff")])
    options = {"release": True, "lost": [["s", b"\xff"]]}
    assert server.sent("worker_unregister") == [["w", options]]


def test_many_units_are_cancelled_by_several_messages():
    """A thousand by each."""
    master, server = master_of({})
    server.answers["cancel_work_units"] = lambda params: (["asked"] * len(params[1]), None)
    keys = [str(number) for number in range(2500)]
    assert master.cancel("s", *keys, reason="why", now=True) == ["asked"] * 2500
    sent = server.sent("cancel_work_units")
    assert [len(params[1]) for params in sent] == [1000, 1000, 500]
    assert {tuple(params[2].items()) for params in sent} == {(("reason", "why"), ("now", True))}


def test_cancelling_units_of_no_spec_is_an_error():
    """Which says so."""
    master, _ = master_of({"cancel_work_units": (None, "no such work_spec 's'")})
    with pytest.raises(NoSuchWorkSpecError, match="no such work_spec 's'"):
        master.cancel("s", "a")


def test_all_pages_of_workers_are_given():
    """With names that are text."""
    pages: dict = {None: ([{"worker_id": b"a", "units": [{"cancel": b"why"}]}], "b")}
    pages["b"] = ([{"worker_id": "b", "units": []}], None)
    master, server = master_of({"list_workers": lambda params: pages[params[0].get("start")]})
    found = master.list_workers(host="h", worker_ids=["a", "b"])
    assert [worker["worker_id"] for worker in found] == ["a", "b"]
    assert found[0]["units"] == [{"cancel": "why"}]
    asked = {"host": "h", "worker_ids": ["a", "b"]}
    assert server.sent("list_workers") == [[asked], [asked | {"start": "b"}]]


def test_older_servers_are_not_asked_for_what_they_cannot_know():
    """It would be an error of theirs."""
    master, server = master_of({}, OLD_HELLO)
    for ask in (master.list_workers, master.asked_modes, lambda: master.cancel("s", "a")):
        with pytest.raises(Unsupported, match=r"0\.1\.5"):
            ask()
    assert {method for method, _ in server.calls} == {"hello"}


# ---- with a real server ----


@pytest.fixture
def master(address, namespace):
    """A TaskMaster in the test's own namespace."""
    with TaskMaster({"address": address, "namespace": namespace, "retries": 0}) as master:
        yield master


class Waiting(threading.Thread):
    """A heartbeat that waits, in a thread of its own."""

    def __init__(self, master, *said, **options):
        super().__init__(daemon=True)
        self.beat = lambda: master.heartbeat(*said, wait=float("inf"), **options)
        self.orders = self.error = None
        self.start()

    def run(self):
        try:
            self.orders = self.beat()
        except ClientClosed as error:
            self.error = error

    def end(self):
        self.join(60)
        assert not self.is_alive()
        return self.orders


def test_a_cancelled_unit_is_told_while_the_client_is_used(master):
    """By the heartbeat that waits; it then fails for good."""
    master.update_bundle(SPEC | {"max_retries": 5}, {"a": {}})
    orders = master.heartbeat("w")
    unit = master.get_work("w")
    waiting = Waiting(master, "w", seen=orders.position)
    assert master.cancel("s", "a", reason="enough") == ["asked"]
    order = CancelOrder("s", "a", unit.attempt, "cancelled: enough")
    assert waiting.end().cancelled == (order,)
    assert unit.fail("stopped")
    status = master.get_work_unit_status("s", "a")
    assert (status["status"], status["reason"]) == (5, "cancelled: enough")
    assert master.heartbeat("w") == orders


def test_closing_the_client_ends_a_heartbeat_that_waits(master):
    """As it ends any other wait."""
    orders = master.heartbeat("w")
    waiting = Waiting(master, "w", seen=orders.position)
    # Until it waits at the server, there is a chance that it is not noticed.
    while waiting.is_alive():
        master.close()
    assert isinstance(waiting.error, ClientClosed)


def test_modes_are_asked_for_and_taken_back(master):
    """And everybody can see of whom."""
    orders = master.heartbeat("w", environment={"host": "h"})
    waiting = Waiting(master, "w", environment={"host": "h"}, seen=orders.position)
    assert master.set_modes("TERMINATE", hosts=["h"]) == 1
    assert waiting.end().mode == "TERMINATE"
    assert master.asked_modes() == {"all": None, "hosts": {"h": "TERMINATE"}, "workers": {}}
    assert master.set_modes("IDLE", everyone=True) == 1
    assert master.set_modes("RUN", ["w"]) == 1
    assert master.heartbeat("w", environment={"host": "h"}).mode == "RUN"
    (worker,) = master.list_workers()
    assert (worker["mode"], worker["asked"], worker["host"]) == ("RUN", "RUN", "h")
    assert master.request_packages(["w", "v"]) == 1
    assert master.heartbeat("w").packages


def test_a_released_worker_leaves_its_units(master):
    """To whoever asks next."""
    master.update_bundle(SPEC, {"a": {}})
    master.heartbeat("w")
    master.get_work("w")
    assert master.release_worker("w", lost=[("s", "a")])
    assert master.get_work("v").key == "a"
    assert master.get_work_unit_status("s", "a")["lost_leases"] == 1
    assert not master.release_worker("w")


def test_asyncio_half_follows_orders(address, namespace):
    """Beside other calls of the same client."""

    async def work():
        config = {"address": address, "namespace": namespace, "retries": 0}
        async with AsyncTaskMaster(config) as master:
            orders = await master.heartbeat("w")
            waiting = asyncio.create_task(master.heartbeat("w", seen=orders.position, wait=60))
            await master.set_modes("IDLE", everyone=True)
            assert (await waiting).mode == "IDLE"

    asyncio.run(work())
