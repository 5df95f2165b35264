"""Data files as older versions of the server left them."""

import sqlite3
from contextlib import closing

from coordinate_server.model.changes import TABLES

# The tables that a schema does not have yet.
LATER = {1: {"edge", "rate", "asked"}, 2: {"asked"}, 3: {"asked"}, 4: set()}


def make_older(path, schema):
    """Turn a closed file of the present schema into one of schema 1, 2, 3 or 4."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for name in TABLES.values():
            _make_table(db, name)
        for name in LATER[schema]:
            db.execute(f"DROP TABLE {name}")
        db.execute(f"PRAGMA user_version = {schema}")
        db.execute("VACUUM")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _make_table(db, name):
    """Before schema 5 rows had no checks."""
    db.execute("CREATE TABLE old (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")
    db.execute(f"INSERT INTO old SELECT key, substr(checked, 1, length(checked) - 4) FROM {name}")
    db.execute(f"DROP TABLE {name}")
    db.execute(f"ALTER TABLE old RENAME TO {name}")
