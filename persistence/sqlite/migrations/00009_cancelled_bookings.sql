-- A cancelled booking stays readable. It has who cancelled it (passenger, admin or train), and the train
-- as it was then, since a train may change once nothing is booked on it: former_trains has the versions
-- of trains on which bookings were cancelled, by their revisions, and train_revision is that of a booking.
-- A booking that an earlier version cancelled has neither.

-- +goose Up
ALTER TABLE bookings ADD COLUMN cancelled_by TEXT;
ALTER TABLE bookings ADD COLUMN train_revision INTEGER;

CREATE TABLE former_trains (
    train_id   BLOB    NOT NULL,
    revision   INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    capacity   INTEGER NOT NULL,
    on_sale    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    stops      TEXT    NOT NULL,
    sales_open_at INTEGER,
    PRIMARY KEY (train_id, revision)
) STRICT;

CREATE INDEX bookings_of_user_cancelled ON bookings (user_id, booked_at, id) WHERE cancelled_at IS NOT NULL;
CREATE INDEX bookings_of_train_cancelled ON bookings (train_id, booked_at, id) WHERE cancelled_at IS NOT NULL;
