-- What schema 4 has that schema 3 has not. The request to cancel that a row of unit may name, and the
-- hosts in rows of worker, are what an older server would not know of.

CREATE TABLE asked (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
