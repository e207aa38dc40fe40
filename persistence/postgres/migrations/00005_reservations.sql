-- A key is reserved before its request is executed, and has a status once it has a reply. The
-- attempt that executes the request has reserved it until a time.
--
-- An earlier version that runs beside this one answers 503 where there is no status.

-- +goose Up
ALTER TABLE idempotency_keys
    ALTER COLUMN status DROP NOT NULL,
    ADD COLUMN reserved_by    uuid,
    ADD COLUMN reserved_until timestamptz;
