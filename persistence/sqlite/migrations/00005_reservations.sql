-- A key is reserved before its request is executed, and has a status once it has a reply. The
-- attempt that executes the request has reserved it until a time. SQLite cannot drop NOT NULL.

-- +goose Up
CREATE TABLE idempotency_keys_with_reservations (
    user_id        BLOB    NOT NULL,
    key            TEXT    NOT NULL,
    request_hash   BLOB    NOT NULL,
    status         INTEGER,
    location       TEXT    NOT NULL,
    expires_at     INTEGER NOT NULL,
    reserved_by    BLOB,
    reserved_until INTEGER,
    body           BLOB    NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT;

INSERT INTO idempotency_keys_with_reservations (user_id, key, request_hash, status, location, expires_at, body)
    SELECT user_id, key, request_hash, status, location, expires_at, body FROM idempotency_keys;

DROP TABLE idempotency_keys;
ALTER TABLE idempotency_keys_with_reservations RENAME TO idempotency_keys;
CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);
