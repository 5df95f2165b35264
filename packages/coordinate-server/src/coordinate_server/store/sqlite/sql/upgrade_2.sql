-- What schema 2 has that schema 1 has not.

CREATE TABLE edge (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE rate (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
