-- What schema 5 has that schema 4 has not: the check of each row, behind its value. The number that
-- goes into it is the table's. The column has another name, so that no version takes a file for what
-- it is not, whatever the number of its schema says.

CREATE TABLE meta_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO meta_5 SELECT key, checked(0, key, value) FROM meta ORDER BY key;
DROP TABLE meta;
ALTER TABLE meta_5 RENAME TO meta;

CREATE TABLE spec_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO spec_5 SELECT key, checked(1, key, value) FROM spec ORDER BY key;
DROP TABLE spec;
ALTER TABLE spec_5 RENAME TO spec;

CREATE TABLE unit_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO unit_5 SELECT key, checked(2, key, value) FROM unit ORDER BY key;
DROP TABLE unit;
ALTER TABLE unit_5 RENAME TO unit;

CREATE TABLE data_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO data_5 SELECT key, checked(3, key, value) FROM data ORDER BY key;
DROP TABLE data;
ALTER TABLE data_5 RENAME TO data;

CREATE TABLE worker_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO worker_5 SELECT key, checked(4, key, value) FROM worker ORDER BY key;
DROP TABLE worker;
ALTER TABLE worker_5 RENAME TO worker;

CREATE TABLE area_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO area_5 SELECT key, checked(5, key, value) FROM area ORDER BY key;
DROP TABLE area;
ALTER TABLE area_5 RENAME TO area;

CREATE TABLE lock_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO lock_5 SELECT key, checked(6, key, value) FROM lock ORDER BY key;
DROP TABLE lock;
ALTER TABLE lock_5 RENAME TO lock;

CREATE TABLE reply_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO reply_5 SELECT key, checked(7, key, value) FROM reply ORDER BY key;
DROP TABLE reply;
ALTER TABLE reply_5 RENAME TO reply;

CREATE TABLE attempt_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO attempt_5 SELECT key, checked(8, key, value) FROM attempt ORDER BY key;
DROP TABLE attempt;
ALTER TABLE attempt_5 RENAME TO attempt;

CREATE TABLE edge_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO edge_5 SELECT key, checked(9, key, value) FROM edge ORDER BY key;
DROP TABLE edge;
ALTER TABLE edge_5 RENAME TO edge;

CREATE TABLE rate_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO rate_5 SELECT key, checked(10, key, value) FROM rate ORDER BY key;
DROP TABLE rate;
ALTER TABLE rate_5 RENAME TO rate;

CREATE TABLE asked_5 (key BLOB PRIMARY KEY, checked BLOB NOT NULL) WITHOUT ROWID;
INSERT INTO asked_5 SELECT key, checked(11, key, value) FROM asked ORDER BY key;
DROP TABLE asked;
ALTER TABLE asked_5 RENAME TO asked;
