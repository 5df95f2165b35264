-- A range of keys has a low end (in it) and a high end (not in it), or no high end.

-- name: get
SELECT {value} FROM {table} WHERE key = ?

-- name: put
INSERT INTO {table} (key, {value}) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET {value} = excluded.{value}

-- name: delete
DELETE FROM {table} WHERE key = ?

-- name: scan
SELECT key, {value} FROM {table} WHERE key >= ? AND key < ? ORDER BY key

-- name: scan_open
SELECT key, {value} FROM {table} WHERE key >= ? ORDER BY key

-- name: sizes
SELECT key, length({value}) FROM {table} WHERE key >= ? AND key < ? ORDER BY key

-- name: sizes_open
SELECT key, length({value}) FROM {table} WHERE key >= ? ORDER BY key

-- name: clear
DELETE FROM {table} WHERE key >= ? AND key < ?

-- name: clear_open
DELETE FROM {table} WHERE key >= ?

-- name: scan_down
SELECT key, {value} FROM {table} WHERE key > ? ORDER BY key DESC
