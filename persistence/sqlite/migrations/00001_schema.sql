-- Times are microseconds since 1970 UTC. Ids are the 16 bytes of a UUID. Legs are the
-- bit set booking.Legs, which never sets the sign bit. Lists are JSON. A column that
-- ends in _folded is booking.Fold of the one before it.

-- +goose Up
CREATE TABLE users (
    id              BLOB    NOT NULL PRIMARY KEY,
    username        TEXT    NOT NULL,
    username_folded TEXT    NOT NULL UNIQUE,
    email           TEXT    NOT NULL,
    email_folded    TEXT    NOT NULL UNIQUE,
    password_hash   TEXT    NOT NULL,
    is_admin        INTEGER NOT NULL,
    created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX users_by_age ON users (created_at, id);

-- A revoked token has no row. A used one keeps its row, so that its reuse is detected.
CREATE TABLE refresh_tokens (
    id         BLOB    NOT NULL PRIMARY KEY,
    user_id    BLOB    NOT NULL REFERENCES users (id),
    family     BLOB    NOT NULL,
    expires_at INTEGER NOT NULL,
    spent_at   INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_tokens_of_family ON refresh_tokens (user_id, family);
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);

-- stops is the last column because it is long: checking a guard reads only those before it.
CREATE TABLE trains (
    id         BLOB    NOT NULL PRIMARY KEY,
    epoch      INTEGER NOT NULL DEFAULT 0,
    owner      BLOB,    -- null until the train is adopted
    name       TEXT    NOT NULL,
    capacity   INTEGER NOT NULL,
    on_sale    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    deleted_at INTEGER,
    stops      TEXT    NOT NULL
) STRICT;

CREATE INDEX trains_by_age ON trains (created_at, id) WHERE deleted_at IS NULL;

-- A seat has a row once it has been sold, with the legs on which it is booked now.
CREATE TABLE seats (
    train_id    BLOB    NOT NULL REFERENCES trains (id),
    seat_number INTEGER NOT NULL,
    legs        INTEGER NOT NULL CHECK (legs >= 0),
    PRIMARY KEY (train_id, seat_number)
) STRICT, WITHOUT ROWID;

-- user_id is not a foreign key: the service has authenticated the user.
CREATE TABLE bookings (
    id           BLOB    NOT NULL PRIMARY KEY,
    train_id     BLOB    NOT NULL REFERENCES trains (id),
    user_id      BLOB    NOT NULL,
    legs         INTEGER NOT NULL CHECK (legs > 0),
    seats        TEXT    NOT NULL,
    epoch        INTEGER NOT NULL,
    booked_at    INTEGER NOT NULL,
    cancelled_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX bookings_of_user ON bookings (user_id, booked_at, id) WHERE cancelled_at IS NULL;
CREATE INDEX bookings_of_train ON bookings (train_id, booked_at, id) WHERE cancelled_at IS NULL;
CREATE INDEX bookings_cancelled ON bookings (train_id, cancelled_at) WHERE cancelled_at IS NOT NULL;

-- A hold keeps its row until booking.HoldRetention after expires_at.
CREATE TABLE holds (
    train_id   BLOB    NOT NULL REFERENCES trains (id),
    id         BLOB    NOT NULL,
    user_id    BLOB    NOT NULL,
    legs       INTEGER NOT NULL CHECK (legs > 0),
    seats      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    released   INTEGER NOT NULL,
    PRIMARY KEY (train_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX holds_by_end ON holds (expires_at);

-- user_id is not a foreign key: the bearer of a service token is not in users.
CREATE TABLE idempotency_keys (
    user_id      BLOB    NOT NULL,
    key          TEXT    NOT NULL,
    request_hash BLOB    NOT NULL,
    status       INTEGER NOT NULL,
    location     TEXT    NOT NULL,
    expires_at   INTEGER NOT NULL,
    body         BLOB    NOT NULL,
    PRIMARY KEY (user_id, key)
) STRICT;

CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);
