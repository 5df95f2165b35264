"""Units for a runner, and a server that notes what becomes of them; alarms that the test rings."""

import time
from threading import Thread

from attrs import define, field

from coordinate_client import AsyncTaskMaster, AsyncWorkUnit, TaskMaster, WorkUnit
from coordinate_client.workers.running.alarms import Alarm
from coordinate_protocol.constants import FAILED, FINISHED
from tests.client.scripted import FakeClock, Hello, ScriptedServer

DONE = {"done": True}
LOST = {"done": False, "code": "lost_lease", "message": "it is that of 'v'"}
CODE = "tests.workers.running.code"


@define
class Desk:
    """A server of one unit after the other.

    Arguments:
        results: what it says to updates, one after the other; then that they are done.
        updates: what it was told: the options of each update.
    """

    results: list = field(factory=list)
    updates: list = field(factory=list)
    scripted: ScriptedServer = field(init=False)

    def __attrs_post_init__(self):
        answers = {"update_work_units": self.updated}
        self.scripted = ScriptedServer(answers, hello=Hello(("tokens",)))

    def updated(self, params):
        """Answer an update."""
        ((_, _, options),) = params[0]
        self.updates.append(options)
        result = self.results.pop(0) if self.results else DONE
        return result if isinstance(result, Exception) else ([result], None, None)

    def unit(self, run_function="nothing", *, data=None, lease=None, kind=WorkUnit, **spec):
        """A unit that calls a function of `code`, or what the spec says."""
        later = kind is AsyncWorkUnit
        master = self.scripted.client(AsyncTaskMaster if later else TaskMaster)
        master.twin = lambda: self.scripted.client(TaskMaster if later else AsyncTaskMaster)
        expires = None if lease is None else time.time() + lease
        given = {} if data is None else data
        unit = kind(master, "s", "k", given, "w", expires, lease, 7)
        code = {} if "command" in spec else {"module": CODE, "run_function": run_function}
        unit.spec = {"name": "s", **code, **spec}
        return unit

    @property
    def told(self):
        """What the server was told last, in a word."""
        if not self.updates:
            return None
        last = self.updates[-1]
        if last.get("lease_time") == -1:
            return "released"
        return {FINISHED: "finished", FAILED: "failed"}.get(last.get("status"), "renewed")

    @property
    def traceback(self):
        """What the unit was failed with."""
        return self.updates[-1]["data"]["traceback"]


@define(eq=False)
class FakeAlarms:
    """Alarms that ring when the test moves the clock, each in a thread that is waited for."""

    clock: FakeClock = field(factory=FakeClock)
    waiting: list = field(factory=list)
    threads: list = field(factory=list)

    def start(self):
        """Nothing is to be started."""

    def after(self, seconds, called):
        alarm = Alarm(self.clock() + seconds, called)
        self.waiting.append(alarm)
        return alarm

    def drop(self, alarm):
        if alarm in self.waiting:
            self.waiting.remove(alarm)

    def apart(self, called):
        thread = Thread(target=called, daemon=True)
        thread.start()
        self.threads.append(thread)

    def move(self, seconds):
        """Let time go on; what is due rings.

        What is raised by that in the thread of the test is raised in here.
        """
        end = self.clock.now + seconds
        self.join()
        while due := [alarm for alarm in self.waiting if alarm.at <= end]:
            first = min(due, key=lambda alarm: alarm.at)
            self.waiting.remove(first)
            self.clock.now = max(self.clock.now, first.at)
            self.apart(first.called)
            self.join()
        self.clock.now = end

    def join(self):
        """Wait for what has rung."""
        while self.threads:
            self.threads[0].join(30)
            self.threads.pop(0)
