"""A fleet at a glance: hosts, their workers, and what each of them runs."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from coordinate_client.cli.durations import duration
from coordinate_client.cli.output import as_json, name_of

__all__ = ["TITLES", "fleet_lines", "fleet_rows"]

Told = Mapping[str, Any]

TITLES = ("Host", "Worker", "Mode", "#PID", "Runs", "Since", "Progress", "Lease left")

# So many units of one worker are shown; one that has fetched a thousand would fill the screen.
_MOST_UNITS = 5
_NO_HOST = "(host not known)"


@frozen
class _Run:
    """A unit that a worker runs, or has.

    Arguments:
        unit: as the server tells it.
        said: what its worker, or the parent of that, says of it; None for nothing.
    """

    unit: Told
    said: Told | None

    @property
    def name(self) -> str:
        """Which unit it is."""
        return f"{name_of(self.unit['work_unit_key'])} of {name_of(self.unit['work_spec_name'])}"

    def since(self, now: float) -> str:
        """For how long it runs; of one that is not said to run, for how long the worker has it."""
        began = None if self.said is None else self.said.get("since")
        if isinstance(began, int | float):
            return duration(now - began)
        seconds = self.unit.get("since")
        return "" if seconds is None else duration(seconds)

    @property
    def progress(self) -> str:
        """How far it is, as its code says."""
        found = None if self.said is None else self.said.get("progress")
        if found is None:
            return ""
        if isinstance(found, int | float) and not isinstance(found, bool) and 0 <= found <= 1:
            return f"{found:.0%}"
        return name_of(found) if isinstance(found, str | bytes) else as_json(found, indent=None)

    @property
    def lease_left(self) -> str:
        """For how long it is the worker's still."""
        left = self.unit.get("lease_left")
        return "" if left is None else duration(left)

    def cells(self, now: float) -> tuple[str, ...]:
        """What stands in the columns from `Runs` on."""
        to_end = " (to be cancelled)" if self.unit.get("cancel") is not None else ""
        return self.name + to_end, self.since(now), self.progress, self.lease_left


class _Fleet:
    """All workers, by what they say of themselves and of each other."""

    def __init__(self, workers: Iterable[Told]) -> None:
        self._by_id = {name_of(worker["worker_id"]): worker for worker in workers}
        self._said: dict[tuple[str, str, str], Told] = {}
        self._speaks_of: set[str] = set()
        for worker_id, worker in self._by_id.items():
            self._listen(worker_id, worker)
        self._children: dict[str, list[str]] = {}
        for worker_id, worker in sorted(self._by_id.items()):
            parent = worker.get("parent")
            if parent is not None and name_of(parent) in self._by_id:
                self._children.setdefault(name_of(parent), []).append(worker_id)

    def _listen(self, worker_id: str, worker: Told) -> None:
        """Take in which units a worker says that it, or those that it has started, run."""
        running = (worker.get("data") or {}).get("running")
        if not isinstance(running, list | tuple):
            return
        self._speaks_of.add(worker_id)
        for said in running:
            if isinstance(said, Mapping):
                whose = name_of(said.get("worker_id", worker_id))
                unit = name_of(said.get("work_spec_name")), name_of(said.get("work_unit_key"))
                self._said[(whose, *unit)] = said

    def hosts(self) -> dict[str, list[tuple[str, int]]]:
        """The workers on each host, each with how far below one that has started it."""
        found: dict[str, list[tuple[str, int]]] = {}
        seen: set[str] = set()
        started = {child for children in self._children.values() for child in children}
        # Somebody may say of two workers that each has started the other: these come last.
        for worker_id in sorted(self._by_id, key=lambda name: (name in started, name)):
            found.setdefault(self._host(worker_id), []).extend(self._tree(worker_id, seen))
        return {host: found[host] for host in sorted(found) if found[host]}

    def _host(self, worker_id: str) -> str:
        found = self._by_id[worker_id].get("host")
        return _NO_HOST if found is None else name_of(found)

    def _tree(self, worker_id: str, seen: set[str], depth: int = 0) -> Iterator[tuple[str, int]]:
        if worker_id not in seen:
            seen.add(worker_id)
            yield worker_id, depth
            for child in self._children.get(worker_id, ()):
                yield from self._tree(child, seen, depth + 1)

    def worker(self, worker_id: str) -> Told:
        """A worker as the server tells it."""
        return self._by_id[worker_id]

    def runs(self, worker_id: str) -> tuple[list[_Run], int]:
        """What a worker runs, and how many units it has besides.

        One that does not say which of its units run is taken to run them all.
        """
        worker = self._by_id[worker_id]
        units = worker.get("units", ())
        runs = [_Run(unit, self._of(worker_id, unit)) for unit in units]
        count = worker.get("units_count", len(runs))
        parent = worker.get("parent")
        speakers = {worker_id, None if parent is None else name_of(parent)}
        if not self._speaks_of.isdisjoint(speakers):
            # The heartbeat may be older than the hand-out; then the first unit is what runs.
            runs = [run for run in runs if run.said is not None] or runs[:1]
        shown = runs[:_MOST_UNITS]
        return shown, count - len(shown)

    def _of(self, worker_id: str, unit: Told) -> Told | None:
        place = name_of(unit["work_spec_name"]), name_of(unit["work_unit_key"])
        return self._said.get((worker_id, *place))


def fleet_rows(workers: Iterable[Told], now: float) -> Iterator[Sequence[str]]:
    """The rows of a table, one for each worker and unit; see `TITLES`.

    Arguments:
        workers: as `TaskMaster.list_workers` gives them.
        now: the time of day, seconds since 1970.
    """
    fleet = _Fleet(workers)
    for host, found in fleet.hosts().items():
        place = host
        for worker_id, depth in found:
            worker = fleet.worker(worker_id)
            about = "  " * depth + worker_id, _mode(worker), _pid(worker)
            for cells in _work(fleet, worker_id, now):
                yield (place, *about, *cells)
                place, about = "", ("", "", "")


def _work(fleet: _Fleet, worker_id: str, now: float) -> list[tuple[str, ...]]:
    runs, more = fleet.runs(worker_id)
    rows = [run.cells(now) for run in runs]
    if more:
        rows.append((f"{'+ ' if runs else ''}{more} fetched", "", "", ""))
    return rows or [("", "", "", "")]


def _mode(worker: Told) -> str:
    """What a worker does, and what it is asked for if that is something else."""
    mode, asked = name_of(worker.get("mode", "")), name_of(worker.get("asked", ""))
    return mode if asked in ("", mode) else f"{mode} (asked: {asked})"


def _pid(worker: Told) -> str:
    found = (worker.get("data") or {}).get("pid")
    return "" if found is None else name_of(found)


def fleet_lines(workers: Iterable[Told], now: float) -> Iterator[str]:
    """The same as lines of text: each host, its workers below it, and below these what they run."""
    for host, worker_id, mode, pid, runs, since, progress, left in fleet_rows(workers, now):
        if host:
            yield host
        if worker_id:
            yield f"  {worker_id} ({mode})" + (f", pid {pid}" if pid else "")
        if runs:
            facts = (runs, since and f"for {since}", progress, left and f"lease {left}")
            yield "      " + ", ".join(fact for fact in facts if fact)
