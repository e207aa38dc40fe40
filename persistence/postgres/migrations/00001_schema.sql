-- Legs are the bit set booking.Legs, which never sets the sign bit. A column that ends in
-- _folded is booking.Fold of the one before it, and is compared byte by byte.

-- +goose Up
CREATE TABLE users (
    id              uuid        NOT NULL PRIMARY KEY,
    username        text        NOT NULL,
    username_folded text        NOT NULL COLLATE "C" UNIQUE,
    email           text        NOT NULL,
    email_folded    text        NOT NULL COLLATE "C" UNIQUE,
    password_hash   text        NOT NULL,
    is_admin        boolean     NOT NULL,
    created_at      timestamptz NOT NULL
);

CREATE INDEX users_by_age ON users (created_at, id);

-- A revoked token has no row. A used one keeps its row, so that its reuse is detected.
CREATE TABLE refresh_tokens (
    id         uuid        NOT NULL PRIMARY KEY,
    user_id    uuid        NOT NULL REFERENCES users (id),
    family     uuid        NOT NULL,
    expires_at timestamptz NOT NULL,
    spent_at   timestamptz
);

CREATE INDEX refresh_tokens_of_family ON refresh_tokens (user_id, family);
CREATE INDEX refresh_tokens_by_end ON refresh_tokens (expires_at);

-- stops is json, not jsonb, so that it is read exactly as it was written.
CREATE TABLE trains (
    id         uuid        NOT NULL PRIMARY KEY,
    epoch      bigint      NOT NULL DEFAULT 0,
    owner      uuid,       -- null until the train is adopted
    name       text        NOT NULL,
    capacity   integer     NOT NULL,
    on_sale    boolean     NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    stops      json        NOT NULL
);

CREATE INDEX trains_by_age ON trains (created_at, id) WHERE deleted_at IS NULL;

-- A seat has a row once it has been sold, with the legs on which it is booked now. The
-- train_id of seats and bookings is not a foreign key: they are written only under a lock on
-- their train, no row of trains is ever deleted, and the checks would take a fifth of the
-- time of a batch.
CREATE TABLE seats (
    train_id    uuid    NOT NULL,
    seat_number integer NOT NULL,
    legs        bigint  NOT NULL CHECK (legs >= 0),
    PRIMARY KEY (train_id, seat_number)
);

-- user_id is not a foreign key: the service has authenticated the user.
CREATE TABLE bookings (
    id           uuid        NOT NULL PRIMARY KEY,
    train_id     uuid        NOT NULL,
    user_id      uuid        NOT NULL,
    legs         bigint      NOT NULL CHECK (legs > 0),
    seats        integer[]   NOT NULL,
    epoch        bigint      NOT NULL,
    booked_at    timestamptz NOT NULL,
    cancelled_at timestamptz
);

CREATE INDEX bookings_of_user ON bookings (user_id, booked_at, id) WHERE cancelled_at IS NULL;
CREATE INDEX bookings_of_train ON bookings (train_id, booked_at, id) WHERE cancelled_at IS NULL;
CREATE INDEX bookings_cancelled ON bookings (train_id, cancelled_at) WHERE cancelled_at IS NOT NULL;

-- user_id is not a foreign key: the bearer of a service token is not in users. Clients may
-- send any bytes, so nothing is text.
CREATE TABLE idempotency_keys (
    user_id      uuid        NOT NULL,
    key          bytea       NOT NULL,
    request_hash bytea       NOT NULL,
    status       integer     NOT NULL,
    location     bytea       NOT NULL,
    expires_at   timestamptz NOT NULL,
    body         bytea       NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE INDEX idempotency_keys_by_end ON idempotency_keys (expires_at);
