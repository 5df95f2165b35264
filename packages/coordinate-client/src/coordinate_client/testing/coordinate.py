"""FakeCoordinate: a server in memory, a client of it, and a worker, for one test."""

from typing import TYPE_CHECKING, Any

from coordinate_client import LockClient, TaskMaster, WorkUnit
from coordinate_client.testing.alarms import ClockAlarms
from coordinate_client.testing.clients import FakeTaskMaster, async_task_master, lock_client
from coordinate_client.testing.clock import FakeClock
from coordinate_client.testing.server import FakeServer
from coordinate_client.testing.state import RanUnit, UnitState
from coordinate_client.workers.running import Runner, RunnerSettings
from coordinate_protocol.constants import STATUS_NAMES
from coordinate_protocol.values import key_bytes

if TYPE_CHECKING:
    from coordinate_client import AsyncTaskMaster

__all__ = ["FakeCoordinate"]

_ENDLESS = 10_000
_MOST_LISTED = 10_000
_WORKER_ID = "test"


class FakeCoordinate:
    """A server in memory, a client of it, and a worker that runs units in this process.

    Nothing sleeps, and there is no network: time goes by when the test says so. It does so for what
    runs, too: leases are renewed, and code that takes longer than its `max_runtime` is ended, when
    it moves the clock that far.

    Attributes:
        clock: the time; `clock.advance(seconds)` lets it go by.
        server: the server in memory.
        task_master: a client of it.
    """

    def __init__(self, settings: RunnerSettings | None = None) -> None:
        """Begin without specs and units.

        Args:
            settings: what may be run, and for how long; None for everything, as long as it takes.
        """
        self.clock = FakeClock()
        self.server = FakeServer(self.clock)
        self.task_master = self.client()
        self._runner = Runner(
            RunnerSettings() if settings is None else settings,
            kills=False,
            clock=self.clock.seconds,
            alarms=ClockAlarms(self.clock),
        )

    def client(self, **config: Any) -> TaskMaster:
        """One more client, with connections of its own.

        Args:
            config: its settings, as in the `coordinate:` block.
        """
        return FakeTaskMaster(self.server, config)

    def async_client(self, **config: Any) -> "AsyncTaskMaster":
        """A client for asyncio.

        Args:
            config: its settings, as in the `coordinate:` block.
        """
        return async_task_master(self.server, config)

    def lock_client(self, locker: str | None = None, **config: Any) -> LockClient:
        """A client for locks.

        Args:
            locker: who locks; None for a name that is made up.
            config: its settings, as in the `coordinate:` block.
        """
        return lock_client(self.server, config, locker)

    def run(
        self, spec: str | None = None, limit: int | None = None, wait: float | None = None
    ) -> list[RanUnit]:
        """Run units, as a worker would, until there are none that can run.

        Those that wait for a later time stay: let it be later and run again, or give `wait`.

        Args:
            spec: only those of this spec.
            limit: how many at most; None for all that there are.
            wait: seconds that the clock may go on while there is nothing to run.

        Returns:
            What became of each, in the order in which they ran.

        Raises:
            RuntimeError: where there is no end of it: after 10,000 units without a limit.
        """
        ran: list[RanUnit] = []
        while limit is None or len(ran) < limit:
            one = self.run_one(spec, wait)
            if one is None:
                break
            ran.append(one)
            if limit is None and len(ran) == _ENDLESS:
                raise RuntimeError(
                    f"ran {_ENDLESS} units and there may be more: give run() a limit"
                )
        return ran

    def run_one(self, spec: str | None = None, wait: float | None = None) -> RanUnit | None:
        """Run the next unit; None where there is none that can run.

        Args:
            spec: only one of this spec.
            wait: seconds that the clock may go on while there is nothing to run.
        """
        names = None if spec is None else [spec]
        unit = self.task_master.get_work(_WORKER_ID, work_spec_names=names, wait=wait)
        return None if unit is None else self.run_unit(unit)

    def run_unit(self, unit: WorkUnit) -> RanUnit:
        """Run a unit that a test has got by itself, with `task_master.get_work`.

        Args:
            unit: which.
        """
        ran = self._runner.run(unit)
        return RanUnit(unit.work_spec_name, unit.key, ran.outcome, ran.reason, unit.data)

    def unit(self, spec: str, key: str | bytes) -> UnitState:
        """How a unit is.

        Raises:
            LookupError: where there is none.
        """
        details = self.task_master.get_work_unit_status(spec, [key])
        if not details or details[0] is None:
            raise LookupError(f"there is no work unit {key!r} of work spec {spec!r}")
        found = self.task_master.get_work_units(spec, [key]) or [(key, None)]
        attempts = self.task_master.get_work_unit_attempts(spec, key)
        status = STATUS_NAMES[details[0]["status"]]
        return UnitState(status, found[0][1], tuple(attempts), details[0])

    def keys(self, spec: str, status: str | None = None) -> list[str | bytes]:
        """The keys of a spec's units, in order.

        Args:
            spec: its name.
            status: only those that are so, by the name of the status; None for all.

        Raises:
            LookupError: where there is no such spec, or no such status.
        """
        numbers = {name: number for number, name in STATUS_NAMES.items()}
        state = None if status is None else numbers[status]
        found = self.task_master.get_work_units(spec, state=state, limit=_MOST_LISTED)
        if found is None:
            raise LookupError(f"there is no work spec {spec!r}")
        return sorted((key for key, _ in found), key=key_bytes)
