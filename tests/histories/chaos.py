"""A round of chaos: a server, client processes, and a random plan of what befalls them."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from attrs import define, field, frozen

from tests.histories.callers import WorkCaller
from tests.histories.events import Call, Recorder, read_calls
from tests.histories.servers import Servers
from tests.histories.units import FINISHED
from tests.histories.wire import PATIENCE, pause
from tests.server.running import environment

ROOT = Path(__file__).parents[2]
FIRST, SECOND = "first", "second"
DRAIN_LEASE = 1.0

LOCKS = (
    *(None, None, None),
    [("t0", "a")],
    [("t0", "a", 1), ("t0", "b")],
    [{"path": ("t0",), "mode": "shared"}],
)
"""What the units need of the paths that the lockers lock."""


@frozen
class Fault:
    """What befalls, when.

    Arguments:
        at: seconds from the beginning.
        what: ``stop`` a client for a while, ``kill`` a client, or ``restart`` the server.
        seconds: for how long it is stopped.
    """

    at: float
    what: str
    seconds: float = 0.0


@frozen
class Plan:
    """A round, fixed by its seed.

    Arguments:
        seed: of everything random.
        seconds: how long the clients work.
        grace: the server's ``restart_grace``.
        lockers: how many processes lock.
        workers: how many processes work.
        units: how many units are added at a time, and how often.
        faults: what befalls, in order.
        drains: whether all the work is done at the end; not where that takes a long grace.
    """

    seed: int
    seconds: float
    grace: float
    lockers: int
    workers: int
    units: tuple[int, int]
    faults: tuple[Fault, ...]
    drains: bool = True


def make_plan(seed, *, seconds=7.0, grace=1.0, lockers=5, workers=3) -> Plan:
    """Draw a plan in which clients lose what they have."""
    chance = random.Random(seed)
    faults = [_stop(chance, seconds) for _ in range(9)]
    faults += [Fault(chance.uniform(0.5, seconds - 0.5), "kill") for _ in range(3)]
    faults += [Fault(chance.uniform(1.0, seconds - 1.0), "restart") for _ in range(2)]
    return Plan(seed, seconds, grace, lockers, workers, (9, 8), _in_order(faults))


def make_lasting_plan(seed, *, seconds=5.0, grace=60.0) -> Plan:
    """Draw a plan for a server with its usual grace: nobody loses anything by its restart."""
    chance = random.Random(seed)
    faults = [_stop(chance, seconds) for _ in range(4)]
    faults += [Fault(chance.uniform(1.5, seconds - 2.0), "restart") for _ in range(2)]
    return Plan(seed, seconds, grace, 5, 3, (9, 8), _in_order(faults), drains=False)


def _stop(chance, seconds):
    return Fault(chance.uniform(0.5, seconds - 2.5), "stop", chance.uniform(1.1, 2.2))


def _in_order(faults):
    return tuple(sorted(faults, key=lambda fault: fault.at))


@define
class Round:
    """Runs a plan.

    Arguments:
        home: a directory of its own.
        plan: what to do.
        package: a copy of the server's package to run; None for ours.
    """

    home: Path
    plan: Plan
    package: Path | None = None
    errors: str = field(default="", init=False)
    _clients: dict[str, subprocess.Popen] = field(factory=dict, init=False)
    _roles: dict[str, str] = field(factory=dict, init=False)
    _stopped: dict[str, float] = field(factory=dict, init=False)
    _chance: random.Random = field(init=False)
    _names: int = field(default=0, init=False)

    def run(self) -> list[Call]:
        """Do it, and give what was recorded."""
        self._chance = random.Random(self.plan.seed + 1)
        events = Recorder(self.home / "server.history", "server")
        servers = Servers(self.home, events, grace=self.plan.grace, package=self.package)
        driver = Recorder(self.home / "driver.history", "driver")
        caller = WorkCaller(self.home / "address", driver)
        caller.worker = "driver"
        try:
            keys = self._drive(servers, caller)
            if self.plan.drains:
                self._drain(caller, keys)
            specs = {FIRST: keys, SECOND: [f"of-{key}" for key in keys]}
            caller.final([FIRST, SECOND], specs, over=self.plan.drains)
        finally:
            self._kill_all()
            caller.close()
            driver.close()
            events.close()
            self.errors = servers.close()
        return read_calls(self.home.glob("*.history"))

    # ---- what befalls ----

    def _drive(self, servers, caller):
        caller.define(SECOND, max_retries=1000)
        caller.define(FIRST, then=SECOND, max_retries=1000)
        for role, number in (("locker", self.plan.lockers), ("worker", self.plan.workers)):
            for _ in range(number):
                self._spawn(role)
        keys: list = []
        for at, act in self._agenda(servers, caller, keys):
            pause(max(0.0, at - time.monotonic()))
            act()
        self._end_clients()
        return keys

    def _agenda(self, servers, caller, keys):
        """Give what is to be done, when, in order; what is stopped goes on after its time."""
        begin, plan = time.monotonic(), self.plan
        agenda = [(begin + fault.at, self._befall(fault, servers)) for fault in plan.faults]
        stops = [fault for fault in plan.faults if fault.what == "stop"]
        agenda += [(begin + stop.at + stop.seconds, self._go_on) for stop in stops]
        number, times = plan.units
        for index in range(times):
            added = [f"{index}.{one}" for one in range(number)]
            at = begin + index * plan.seconds / times
            agenda.append((at, lambda added=added: self._add(caller, keys, added)))
        agenda.append((begin + plan.seconds, lambda: None))
        return sorted(agenda, key=lambda item: item[0])

    @staticmethod
    def _add(caller, keys, added):
        for first, locks in enumerate(LOCKS):
            some = added[first :: len(LOCKS)]
            caller.add(FIRST, some, **({"locks": locks} if locks else {}))
        keys.extend(added)

    def _befall(self, fault, servers):
        if fault.what == "restart":
            return servers.restart
        return lambda: self._harm(fault)

    def _harm(self, fault):
        running = [name for name in self._clients if name not in self._stopped]
        if not running:
            return
        name = self._chance.choice(sorted(running))
        client = self._clients[name]
        if fault.what == "stop":
            self._stopped[name] = time.monotonic() + fault.seconds
            client.send_signal(signal.SIGSTOP)
        else:
            client.kill()
            client.wait(PATIENCE)
            del self._clients[name]
            self._spawn(self._roles[name])

    def _go_on(self):
        now = time.monotonic()
        for name, until in list(self._stopped.items()):
            if until <= now + 0.01:
                self._clients[name].send_signal(signal.SIGCONT)
                del self._stopped[name]

    # ---- clients ----

    def _spawn(self, role):
        self._names += 1
        name = f"{role}{self._names}"
        told = {"role": role, "name": name, "seed": self._chance.randrange(2**32)}
        told |= {"home": str(self.home)}
        errors = (self.home / f"{name}.errors").open("wb")
        with errors:
            self._clients[name] = subprocess.Popen(
                [sys.executable, "-m", "tests.histories.programs", json.dumps(told)],
                cwd=ROOT,
                env=environment(self.home),
                stdout=errors,
                stderr=errors,
            )
        self._roles[name] = role

    def _end_clients(self):
        """Let each finish what it is in the middle of."""
        for name, client in self._clients.items():
            if name in self._stopped:
                client.send_signal(signal.SIGCONT)
            client.terminate()
        for name, client in self._clients.items():
            code = client.wait(PATIENCE)
            said = (self.home / f"{name}.errors").read_text()
            # A client that was only just started may not have come to set its handler.
            if code not in {0, -signal.SIGTERM} or said:
                raise AssertionError(f"{name} ended with {code}:\n{said}")
        self._clients.clear()

    def _kill_all(self):
        for client in self._clients.values():
            client.kill()
            client.wait(PATIENCE)

    # ---- the end ----

    def _drain(self, caller, keys):
        """Do all the work that is left."""
        end = time.monotonic() + PATIENCE + self.plan.grace
        while time.monotonic() < end and not self._all_ended(caller, keys):
            for unit in caller.get_work(DRAIN_LEASE, wait=0.5, most=100)["units"]:
                data = {"key": unit["key"], "by": unit["attempt"]}
                data["output"] = {f"of-{unit['key']}": {"from": unit["attempt"]}}
                caller.update((unit, "finish", data))

    @staticmethod
    def _all_ended(caller, keys):
        counts = [caller.count(spec) for spec in (FIRST, SECOND)]
        return all(count.get(FINISHED, 0) == len(keys) for count in counts)
