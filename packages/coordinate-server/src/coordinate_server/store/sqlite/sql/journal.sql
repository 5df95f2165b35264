-- name: append
INSERT INTO journal (seq, record) VALUES (?, ?)

-- name: forget
DELETE FROM journal WHERE seq < ?

-- name: read
SELECT seq, record FROM journal ORDER BY seq

-- name: page
SELECT seq, record FROM journal WHERE seq > ? AND seq <= ? ORDER BY seq
