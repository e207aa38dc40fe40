-- A cancelled booking stays readable. It has who cancelled it (passenger, admin or train), and the train
-- as it was then, since a train may change once nothing is booked on it: former_trains has the versions
-- of trains on which bookings were cancelled, by their revisions, and train_revision is that of a booking.
-- A booking that an earlier version cancelled, before or beside this one, has neither.
--
-- Sales continue meanwhile, as in 00004_train_in_key.sql: the columns are added as soon as their lock is
-- free, and the indexes are built CONCURRENTLY. What was interrupted starts over.

-- +goose NO TRANSACTION
-- +goose Up
-- +goose StatementBegin
DO $$
BEGIN
    SET LOCAL lock_timeout = '500ms';
    LOOP
        BEGIN
            ALTER TABLE bookings
                ADD COLUMN IF NOT EXISTS cancelled_by text,
                ADD COLUMN IF NOT EXISTS train_revision bigint;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
        END;
    END LOOP;
END $$;
-- +goose StatementEnd
CREATE TABLE IF NOT EXISTS former_trains (
    train_id   uuid        NOT NULL,
    revision   bigint      NOT NULL,
    name       text        NOT NULL,
    capacity   integer     NOT NULL,
    on_sale    boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    stops      json        NOT NULL,
    sales_open_at timestamptz,
    PRIMARY KEY (train_id, revision)
);
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS bookings_of_user_cancelled;
CREATE INDEX CONCURRENTLY bookings_of_user_cancelled ON bookings (user_id, booked_at, id)
    WHERE cancelled_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS bookings_of_train_cancelled;
CREATE INDEX CONCURRENTLY bookings_of_train_cancelled ON bookings (train_id, booked_at, id)
    WHERE cancelled_at IS NOT NULL;
RESET lock_timeout;
