"""Every store does, in any order of calls, what a dict does."""

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from coordinate_server.model.changes import AREA, DATA, DELETE, DROP, PUT, UNIT
from tests.store.conftest import open_hurried, open_memory, open_sqlite

TABLES = st.sampled_from([UNIT, DATA, AREA])
# Few bytes, so that keys meet; 0xff, because nothing comes after it.
KEYS = st.lists(st.sampled_from([b"\0", b"a", b"\xff", b"spec-id8"]), max_size=3).map(b"".join)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just(PUT), TABLES, KEYS, st.binary(max_size=40)),
        st.tuples(st.just(DELETE), TABLES, KEYS, st.just(b"")),
        st.tuples(st.just(DROP), TABLES, KEYS, st.just(b"")),
    ),
    max_size=8,
)


class StoreMachine(RuleBasedStateMachine):
    """A store beside the dict of the rows that it should have."""

    @staticmethod
    def opener(path):
        return open_sqlite(path)

    def __init__(self):
        super().__init__()
        self.folder = tempfile.TemporaryDirectory(prefix="coordinate-store-")
        self.opened = self.opener(Path(self.folder.name, "store.db"))
        self.rows = {}

    @property
    def store(self):
        return self.opened.store

    @rule(changes=CHANGES)
    def commit(self, changes):
        self.store.commit(changes)
        for op, table, key, value in changes:
            if op == PUT:
                self.rows[table, key] = value
            elif op == DELETE:
                self.rows.pop((table, key), None)
            else:
                self.rows = {
                    place: kept
                    for place, kept in self.rows.items()
                    if place[0] != table or not place[1].startswith(key)
                }

    @rule(rows=st.integers(1, 5))
    def settle(self, rows):
        before = self.store.backlog
        left = self.store.settle(rows)
        assert left == self.store.backlog
        assert left <= before

    @rule()
    def reopen(self):
        self.opened.reopen()

    @rule(table=TABLES, key=KEYS)
    def get(self, table, key):
        assert self.store.get(table, key) == self.rows.get((table, key))

    @rule(table=TABLES, prefix=KEYS, after=st.none() | KEYS, limit=st.integers(1, 4))
    def scan(self, table, prefix, after, limit):
        keys = sorted(
            key
            for number, key in self.rows
            if number == table and key.startswith(prefix) and (after is None or key > after)
        )
        expected = [(key, self.rows[table, key]) for key in keys[:limit]]
        assert self.store.scan(table, prefix, after, limit) == expected

    @invariant()
    def load(self):
        expected = sorted((table, key, value) for (table, key), value in self.rows.items())
        assert list(self.store.load()) == expected

    def teardown(self):
        self.store.close()
        self.folder.cleanup()


class MemoryMachine(StoreMachine):
    """The same, over the memory store."""

    @staticmethod
    def opener(path):
        return open_memory(path)


class HurriedMachine(StoreMachine):
    """The same, over an SQLite store whose commits write rows all the time."""

    @staticmethod
    def opener(path):
        return open_hurried(path)


TestSqlite = StoreMachine.TestCase
TestMemory = MemoryMachine.TestCase
TestHurried = HurriedMachine.TestCase
TestSqlite.settings = TestMemory.settings = TestHurried.settings = settings(
    max_examples=40, stateful_step_count=30
)
