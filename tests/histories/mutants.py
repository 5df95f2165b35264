"""Bugs put into a copy of the server, each with the scenario that is the quickest to show it."""

import shutil
from pathlib import Path

from attrs import frozen

import coordinate_server

PACKAGE = Path(coordinate_server.__file__).parent


@frozen
class Mutant:
    """A server with one bug.

    Arguments:
        name: what it does wrong.
        file: of the package, where the bug is.
        old: what is there, once.
        new: what the bug makes of it.
        scenario: what shows it.
    """

    name: str
    file: str
    old: str
    new: str
    scenario: str

    def applied(self) -> str:
        """Give the file with the bug in it.

        Raises:
            ValueError: the old text is not there, or more than once: the table has to follow the
                sources.
        """
        text = (PACKAGE / self.file).read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            times = text.count(self.old)
            raise ValueError(f"{self.name!r}: {self.old!r} is {times} times in {self.file}")
        return text.replace(self.old, self.new)

    def copy_to(self, directory: Path) -> Path:
        """Make a copy of the package with the bug; gives the directory to import it from."""
        copy = directory / PACKAGE.name
        shutil.copytree(PACKAGE, copy)
        (copy / self.file).write_text(self.applied(), encoding="utf-8")
        return directory


UPDATES, CORE, LOADING = "model/updates.py", "model/core.py", "model/loading.py"
UNIT_LOADING = "model/unit_loading.py"
ROSTER = "model/roster.py"
SESSIONS, COMMITTER = "service/sessions.py", "service/committer.py"
TABLE, TREE, QUEUE = "model/locks/table.py", "model/locks/tree.py", "model/locks/queue.py"
HOLDINGS, TIMES = "model/locks/holdings.py", "model/locks/times.py"

MUTANTS = (
    # ---- units and their attempts ----
    Mutant(
        "no token is checked",
        UPDATES,
        "(wanted.attempt == unit.attempt and unit.worker_id is not None)",
        "wanted.attempt <= unit.attempt",
        "stale_words",
    ),
    Mutant(
        "a stale attempt may renew",
        UPDATES,
        "    if not _owns(unit, wanted) or not (",
        "    if (not _owns(unit, wanted) and wanted.status is not None) or not (",
        "stale_words",
    ),
    Mutant(
        "a lease that is over can be renewed",
        UPDATES,
        "    held = unit.status == PENDING\n    if wanted.status == FAILED and",
        "    held = unit.status == PENDING\n"
        "    if not held and wanted.attempt == unit.attempt and wanted.status is None:\n"
        "        return Outcome.CHANGE\n"
        "    if wanted.status == FAILED and",
        "unused_lease",
    ),
    Mutant(
        "a second finish chains again",
        UPDATES,
        "    if outcome is Outcome.IGNORE:\n        return False",
        "    if outcome is Outcome.IGNORE:\n        return asked == FINISHED",
        "finishing_twice",
    ),
    Mutant(
        "a lease ends when it would have without its renewal",
        CORE,
        "    return unit.deadline == moment and roster.units",
        "    return unit.deadline is not None and roster.units",
        "lease_to_its_end",
    ),
    Mutant(
        "no lease is ever over",
        CORE,
        "            roster.expire(unit, at)",
        "            del roster, unit",
        "lease_to_its_end",
    ),
    Mutant(
        "a unit that somebody has is handed out",
        "model/units.py",
        "return unit if unit.status == AVAILABLE and unit.priority == priority else None",
        "return unit if unit.status in (AVAILABLE, 3) and unit.priority == priority else None",
        "one_worker_each",
    ),
    # ---- restarts ----
    Mutant(
        "numbers begin anew with each start",
        LOADING,
        "core.attempt = max(numbers.get(ATTEMPT_KEY, 0), int(at.wall * 1_000_000))",
        "core.attempt = 0",
        "numbers_after_a_restart",
    ),
    Mutant(
        "nobody has a grace period after a start",
        LOADING,
        "    grace = core.clock + core.settings.restart_grace",
        "    grace = core.clock",
        "owners_after_a_restart",
    ),
    Mutant(
        "the grace period is compared the wrong way",
        UNIT_LOADING,
        "unit.deadline is not None and unit.deadline < grace:",
        "unit.deadline is not None and unit.deadline > grace:",
        "owners_after_a_restart",
    ),
    Mutant(
        "leases are forgotten at a start",
        UNIT_LOADING,
        "        unit.deadline = grace\n",
        "        unit.free()\n        unit.status = 1\n",
        "owners_after_a_restart",
    ),
    Mutant(
        "locks are forgotten at a start",
        LOADING,
        "    _load_locks(namespace, tables[LOCK], grace)",
        "",
        "locks_after_a_restart",
    ),
    Mutant(
        "locks have no grace period after a start",
        LOADING,
        "take_in(entry, max(deadline, grace))",
        "take_in(entry, deadline)",
        "locks_after_a_restart",
    ),
    Mutant(
        "locks are not written down",
        HOLDINGS,
        "lock_key(self._namespace, entry), lambda: lock_row(entry))",
        "lock_key(self._namespace, entry), None)",
        "locks_after_a_restart",
    ),
    Mutant(
        "that a lock was released is not written down",
        HOLDINGS,
        "            self._ledger.lock(lock_key(self._namespace, entry), None)",
        "            pass",
        "renewals_after_a_restart",
    ),
    # ---- units that need locks ----
    Mutant(
        "units do without their locks",
        ROSTER,
        "            self.locks.lock(unit)\n",
        "",
        "locks_of_units",
    ),
    Mutant(
        "units keep their locks when they end",
        ROSTER,
        "!= unit.status:\n            self.ready.returned(unit)\n"
        "            self.locks.unlock(unit)\n",
        "!= unit.status:\n            self.ready.returned(unit)\n",
        "locks_of_units",
    ),
    Mutant(
        "anybody forces the locks of units",
        TABLE,
        "[entry for entry in entries if entry.unit is None]",
        "list(entries)",
        "locks_of_units",
    ),
    # ---- commits and sessions ----
    Mutant(
        "units are told of before their commit",
        COMMITTER,
        "        if self._committed():\n            for send in sends:\n                send()",
        "        for send in sends:\n            send()\n        if self._committed():",
        "told_is_kept",
    ),
    Mutant(
        "locks are told of before their commit",
        COMMITTER,
        "        if self._committed():\n            for send in sends:\n                send()",
        "        for send in sends:\n            send()\n        if self._committed():",
        "told_lock_is_kept",
    ),
    Mutant(
        "answers are not kept",
        "model/sessions.py",
        "        known = session.kept.get(seq)\n        slot",
        "        return\n        known = session.kept.get(seq)\n        slot",
        "lost_answers",
    ),
    Mutant(
        "a repeated call is answered as before, but done again",
        SESSIONS,
        "        if reply is not None:\n            return _read",
        "        if reply is not None:\n            do()\n            return _read",
        "lost_answers",
    ),
    Mutant(
        "a repeated lock is counted again",
        SESSIONS,
        "        if reply is not None:\n            return _read",
        "        if reply is not None:\n            do()\n            return _read",
        "lost_lock_answers",
    ),
    Mutant(
        "answers are forgotten at a start",
        LOADING,
        "            known[key[:SESSION_BYTES]].load(slot, seq, low, reply)",
        "            del slot, seq, low, reply",
        "lost_answers_and_a_restart",
    ),
    # ---- waiting ----
    Mutant(
        "work goes to who asked last",
        "service/waiting_line.py",
        "next(iter(self.ways[way].values()))",
        "next(reversed(self.ways[way].values()))",
        "waiting_in_order",
    ),
    Mutant(
        "who died waiting is in the way",
        "net/connection.py",
        "        for waiting in list(self._waiting):\n"
        "            waiting.abandon()\n"
        "        if not self._held:",
        "        if not self._held:",
        "dead_lock_waiter",
    ),
    Mutant(
        "who waits reserves nothing",
        QUEUE,
        "            blocker = self.in_the_way(path, mode, own)\n",
        "            blocker = self.in_the_way(path, mode, own, 0)\n",
        "waiting_for_locks",
    ),
    Mutant(
        "work that comes wakes nobody",
        "assembly.py",
        "committer.before_commit += [lines.serve, ",
        "committer.before_commit += [",
        "waiting_in_order",
    ),
    Mutant(
        "who asked later goes first",
        QUEUE,
        "        self._ticket += 1\n",
        "        self._ticket -= 1\n",
        "waiting_for_locks",
    ),
    Mutant(
        "who waits for several locks is granted them when the first is free",
        QUEUE,
        "        for index in range(claim.cursor, len(entries)):",
        "        for index in range(claim.cursor, claim.cursor):",
        "all_or_none",
    ),
    Mutant(
        "rings of those who wait are not seen",
        TABLE,
        "        if cycle is not None:",
        "        if cycle is not None and not cycle:",
        "waiting_in_a_ring",
    ),
    # ---- the tree of locks ----
    Mutant(
        "what is below a path is not looked at",
        TREE,
        "        if node.below is not None:\n            yield",
        "        if node.below is None:\n            yield",
        "ancestors_and_descendants",
    ),
    Mutant(
        "what is above a path is not looked at",
        TREE,
        "            if node.at is not None:\n                yield",
        "            if node.at is not None and node is self.node(path):\n                yield",
        "ancestors_and_descendants",
    ),
    Mutant(
        "who shares does not keep out who does not",
        TREE,
        "    EXCLUSIVE: (HELD + EXCLUSIVE, HELD + SHARED,",
        "    EXCLUSIVE: (HELD + EXCLUSIVE,",
        "shared_and_exclusive",
    ),
    Mutant(
        "anybody unlocks",
        TABLE,
        "            entry = self.holdings.own(locker, path, token)\n"
        "            if entry is None:\n",
        "            entry = self.tree.owner(path)\n            if entry is None:\n",
        "others_locks",
    ),
    Mutant(
        "tokens of locks are not checked",
        HOLDINGS,
        "            if entry.unit is None and entry.is_of(token):",
        "            if entry.unit is None:",
        "others_locks",
    ),
    Mutant(
        "a lock ends when it would have without its renewal",
        TIMES,
        "    return item[1].deadline == moment",
        "    return item[1].deadline is not None",
        "time_of_a_lock",
    ),
    Mutant(
        "what is due is looked at while nothing is",
        CORE,
        "            at.now >= self._now.moment",
        "            at.now < self._now.moment",
        "lease_to_its_end",
    ),
    Mutant(
        "no lock is ever over",
        TIMES,
        '            locks.lose(entry, "its time was over")',
        "            del entry",
        "time_of_a_lock",
    ),
    Mutant(
        "a lock that ends takes others with it",
        TIMES,
        '            locks.lose(entry, "its time was over")',
        "            locks.drop_below(at, entry.path[:1])",
        "time_of_a_lock",
    ),
    Mutant(
        "one unlock is enough for a lock that is held twice",
        HOLDINGS,
        "        if entry.count == 1:",
        "        if entry.count >= 1:",
        "lock_twice",
    ),
    Mutant(
        "nothing is forced",
        TABLE,
        '            self.lose(entry, "it was forced")',
        "            pass",
        "forced_locks",
    ),
    Mutant(
        "some paths means all paths",
        TABLE,
        "            self.queue.in_the_way(path, request.mode, request.own) is None"
        " and chosen.add(path)",
        "            chosen.add(path)",
        "some_locks",
    ),
)
