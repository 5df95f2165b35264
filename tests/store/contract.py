"""What every store must do. ``test_contract.py`` runs it against each of them."""

import pytest

from coordinate_server.model.changes import (
    AREA,
    DATA,
    DELETE,
    DROP,
    META,
    PUT,
    SPEC,
    UNIT,
    WORKER,
)
from coordinate_server.store import StoreError


def put(table, key, value=b""):
    """A change that puts a row."""
    return (PUT, table, key, value)


def delete(table, key):
    """A change that deletes a row."""
    return (DELETE, table, key, b"")


def drop(table, prefix):
    """A change that deletes every row under a prefix."""
    return (DROP, table, prefix, b"")


def settle_all(store, rows=1000):
    """Settle slice by slice until nothing waits."""
    while store.settle(rows):
        pass


@pytest.fixture(params=["waiting", "settled", "reopened"])
def rest(request, opened):
    """What happens between a commit and a look: nothing, settling, or a restart."""

    def take_rest():
        if request.param == "settled":
            settle_all(opened.store, rows=2)
        elif request.param == "reopened":
            opened.reopen()
        return opened.store

    return take_rest


class StoreContract:
    """The behaviour of a store, whatever keeps its rows."""

    def test_new_store_is_empty(self, opened):
        """A store that nothing was committed to has no rows and nothing waiting."""
        assert list(opened.store.load()) == []
        assert opened.store.backlog == 0
        assert opened.store.get(META, b"clock") is None
        assert opened.store.scan(UNIT) == []

    def test_committed_rows_come_back(self, opened, rest):
        """Rows are loaded as they were put, by table and then by key."""
        opened.store.commit([put(UNIT, b"b", b"2"), put(SPEC, b"z", b"3")])
        opened.store.commit([put(UNIT, b"a", b"1"), put(META, b"m", b"")])
        store = rest()
        assert list(store.load()) == [
            (META, b"m", b""),
            (SPEC, b"z", b"3"),
            (UNIT, b"a", b"1"),
            (UNIT, b"b", b"2"),
        ]

    def test_last_value_counts(self, opened, rest):
        """A row put again, in one commit or in another, has its last value."""
        opened.store.commit([put(UNIT, b"a", b"1"), put(UNIT, b"a", b"2")])
        opened.store.commit([put(UNIT, b"b", b"1")])
        opened.store.commit([put(UNIT, b"b", b"2")])
        store = rest()
        assert store.get(UNIT, b"a") == b"2"
        assert list(store.load()) == [(UNIT, b"a", b"2"), (UNIT, b"b", b"2")]

    def test_deleted_row_is_gone(self, opened, rest):
        """A deleted row is neither read nor scanned nor loaded; deleting no row is allowed."""
        opened.store.commit([put(UNIT, b"a", b"1"), put(UNIT, b"b", b"1")])
        settle_all(opened.store)
        opened.store.commit([delete(UNIT, b"a"), delete(UNIT, b"never")])
        store = rest()
        assert store.get(UNIT, b"a") is None
        assert store.scan(UNIT) == [(b"b", b"1")]
        assert list(store.load()) == [(UNIT, b"b", b"1")]

    def test_row_deleted_and_put_again_is_there(self, opened, rest):
        """Changes of one commit are applied in their order."""
        opened.store.commit([put(UNIT, b"a", b"1")])
        opened.store.commit([delete(UNIT, b"a"), put(UNIT, b"a", b"2")])
        assert rest().get(UNIT, b"a") == b"2"

    def test_tables_are_apart(self, opened, rest):
        """The same key in two tables is two rows."""
        opened.store.commit([put(UNIT, b"k", b"unit"), put(DATA, b"k", b"data")])
        opened.store.commit([delete(UNIT, b"k")])
        store = rest()
        assert store.get(UNIT, b"k") is None
        assert store.get(DATA, b"k") == b"data"

    @pytest.mark.parametrize(
        "prefix,survivors",
        [
            (b"", []),
            (b"a", [b"", b"b", b"\xff", b"\xff\xff", b"\xff\xff\x01"]),
            (b"\xff", [b"", b"a", b"a\xff", b"a\xffb", b"b"]),
            (b"\xff\xff", [b"", b"a", b"a\xff", b"a\xffb", b"b", b"\xff"]),
            (b"a\xff", [b"", b"a", b"b", b"\xff", b"\xff\xff", b"\xff\xff\x01"]),
            (b"c", [b"", b"a", b"a\xff", b"a\xffb", b"b", b"\xff", b"\xff\xff", b"\xff\xff\x01"]),
        ],
    )
    @pytest.mark.parametrize("settled_first", [False, True])
    def test_drop_removes_keys_with_the_prefix(
        self, opened, rest, prefix, survivors, settled_first
    ):
        """A drop removes the keys that begin with its prefix, in its table, and no other."""
        keys = [b"", b"a", b"a\xff", b"a\xffb", b"b", b"\xff", b"\xff\xff", b"\xff\xff\x01"]
        opened.store.commit([put(UNIT, key, b"x") for key in keys])
        opened.store.commit([put(DATA, key, b"y") for key in keys])
        if settled_first:
            settle_all(opened.store)
        opened.store.commit([drop(UNIT, prefix)])
        store = rest()
        assert [key for key, _ in store.scan(UNIT)] == sorted(survivors)
        assert [key for key in keys if store.get(UNIT, key)] == survivors
        assert [key for key, _ in store.scan(DATA)] == sorted(keys)

    @pytest.mark.parametrize(
        "prefix,left", [(b"spec-id", 1), (b"spec-id1", 2), (b"spec-id1un", 4), (b"spec-id3un", 5)]
    )
    def test_drop_knows_long_keys_apart(self, opened, rest, prefix, left):
        """Keys that share the number of a spec are told apart by what follows it."""
        keys = [b"spec-id1", b"spec-id1unit", b"spec-id2unit", b"spec-id1\xffx", b"spec"]
        opened.store.commit([put(UNIT, key) for key in keys])
        opened.store.commit([drop(UNIT, prefix)])
        store = rest()
        expected = sorted(key for key in keys if not key.startswith(prefix))
        assert [key for key, _ in store.scan(UNIT)] == expected
        assert len(expected) == left

    def test_drop_takes_what_was_put_before_and_not_after(self, opened, rest):
        """Puts around a drop, before and after it in one commit and in others, keep their order."""
        opened.store.commit([put(UNIT, b"spec-old"), put(UNIT, b"spec-both", b"1")])
        opened.store.commit(
            [put(UNIT, b"spec-mid"), drop(UNIT, b"spec"), put(UNIT, b"spec-both", b"2")]
        )
        opened.store.commit([put(UNIT, b"spec-new")])
        store = rest()
        assert store.scan(UNIT) == [(b"spec-both", b"2"), (b"spec-new", b"")]

    def test_second_drop_takes_what_was_put_since_the_first(self, opened, rest):
        """Dropping a prefix again removes what came between, whatever is settled by then."""
        opened.store.commit([put(UNIT, b"s1", b"1"), put(UNIT, b"t", b"1")])
        opened.store.commit([drop(UNIT, b"s"), put(UNIT, b"s2", b"2")])
        opened.store.settle(1)
        opened.store.commit([put(UNIT, b"s3", b"3"), drop(UNIT, b"s"), drop(UNIT, b"s3")])
        opened.store.commit([put(UNIT, b"s3", b"4")])
        store = rest()
        assert list(store.load()) == [(UNIT, b"s3", b"4"), (UNIT, b"t", b"1")]

    def test_large_drop_is_settled_in_slices(self, opened):
        """Many rows under a prefix go slice by slice, and are gone for a reader from the start."""
        opened.store.commit([put(UNIT, b"s%05d" % number) for number in range(300)])
        opened.store.commit([put(UNIT, b"t", b"kept")])
        settle_all(opened.store)
        opened.store.commit([drop(UNIT, b"s")])
        for _ in range(3):
            opened.store.settle(1)
            assert opened.store.scan(UNIT) == [(b"t", b"kept")]
        store = opened.reopen()
        assert store.scan(UNIT) == [(b"t", b"kept")]
        settle_all(store)
        assert list(store.load()) == [(UNIT, b"t", b"kept")]

    @pytest.mark.parametrize("limit", [1, 2, 7, 100])
    def test_pages_cover_a_prefix_once(self, opened, rest, limit):
        """Scanning page after page gives each row of the prefix once, in order, old and new."""
        keys = [b"p%03d" % number for number in range(20)]
        opened.store.commit([put(AREA, key, b"old") for key in keys[::2]])
        opened.store.commit([put(AREA, b"o"), put(AREA, b"q"), put(AREA, b"p")])
        settle_all(opened.store)
        opened.store.commit([put(AREA, key, b"new") for key in keys[1::2]])
        opened.store.commit([delete(AREA, b"p")])
        store, found, after = rest(), [], None
        while page := store.scan(AREA, b"p", after, limit):
            assert len(page) <= limit
            found += page
            after = page[-1][0]
        assert [key for key, _ in found] == keys
        assert dict(found)[b"p004"] == b"old"
        assert dict(found)[b"p005"] == b"new"

    def test_scan_starts_after_a_key_that_need_not_exist(self, opened, rest):
        """What is after a key does not depend on that key, nor on its being under the prefix."""
        opened.store.commit([put(AREA, b"a"), put(AREA, b"c"), put(AREA, b"c\0"), put(AREA, b"d")])
        store = rest()
        assert [key for key, _ in store.scan(AREA, b"", b"b")] == [b"c", b"c\0", b"d"]
        assert [key for key, _ in store.scan(AREA, b"", b"c")] == [b"c\0", b"d"]
        assert [key for key, _ in store.scan(AREA, b"c", b"a")] == [b"c", b"c\0"]
        assert store.scan(AREA, b"c", b"d") == []
        assert store.scan(AREA, limit=0) == []

    def test_empty_commit_changes_nothing(self, opened):
        """No changes are no record and nothing to settle."""
        opened.store.commit([])
        assert opened.store.backlog == 0
        assert list(opened.reopen().load()) == []

    def test_large_values_come_back(self, opened, rest):
        """A value of 4 MiB, and several in one commit, are kept whole."""
        value = bytes(range(256)) * (4 * 2**20 // 256)
        opened.store.commit([put(DATA, b"%d" % number, value) for number in range(3)])
        store = rest()
        assert store.get(DATA, b"0") == value
        assert all(found == value for _, _, found in store.load())
        store.commit([drop(DATA, b"")])
        settle_all(store)
        assert store.scan(DATA) == []

    def test_settling_changes_nothing_that_is_seen(self, opened):
        """After each slice the rows are the same, and in the end nothing waits."""
        opened.store.commit([put(UNIT, b"%d" % number, b"1") for number in range(9)])
        opened.store.commit([delete(UNIT, b"3"), put(WORKER, b"w", b"1"), drop(UNIT, b"4")])
        before = list(opened.store.load())
        while opened.store.settle(1):
            assert list(opened.store.load()) == before
        assert opened.store.backlog == 0
        assert list(opened.store.load()) == before

    @pytest.mark.parametrize(
        "change", [(PUT, 99, b"", b""), (PUT, -1, b"", b""), (3, UNIT, b"", b"")]
    )
    def test_unknown_change_is_refused_whole(self, opened, change):
        """A change of no known kind is refused with all of its commit, and the store goes on."""
        with pytest.raises(StoreError, match=r"unknown (table|operation)"):
            opened.store.commit([put(UNIT, b"a"), change])
        assert list(opened.store.load()) == []
        opened.store.commit([put(UNIT, b"b", b"1")])
        assert opened.store.get(UNIT, b"b") == b"1"

    def test_change_that_is_not_bytes_is_refused(self, opened):
        """Text for a key is a mistake of the caller, found before anything is written."""
        with pytest.raises(StoreError, match="is not of bytes"):
            opened.store.commit([(PUT, UNIT, "text", b"")])
        assert list(opened.store.load()) == []

    def test_settling_no_rows_is_refused(self, opened):
        """A slice has at least one row."""
        with pytest.raises(StoreError, match="cannot settle 0 rows"):
            opened.store.settle(0)

    def test_unknown_table_is_refused_by_readers(self, opened):
        """A table that there is not is a mistake of the caller."""
        with pytest.raises(StoreError, match="unknown table 99"):
            opened.store.get(99, b"")
        with pytest.raises(StoreError, match="unknown table 99"):
            opened.store.scan(99)

    def test_closed_store_refuses_every_call(self, opened):
        """After close, twice or once, nothing works."""
        store = opened.store
        store.close()
        store.close()
        for call in (
            store.load,
            lambda: store.commit([put(UNIT, b"a")]),
            lambda: store.settle(1),
            lambda: store.get(UNIT, b"a"),
            lambda: store.scan(UNIT),
        ):
            with pytest.raises(StoreError, match="closed"):
                call()
