-- A hold that may be live is in holds, with few indexes, since each of them is a page to write. When it
-- has ended it is moved, so that loading a train does not read it.

-- +goose Up
CREATE TABLE ended_holds (
    train_id   BLOB    NOT NULL,
    user_id    BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    legs       INTEGER NOT NULL,
    seats      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL,
    released   INTEGER NOT NULL,
    PRIMARY KEY (train_id, user_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX ended_holds_by_end ON ended_holds (expires_at);

INSERT INTO ended_holds (train_id, user_id, id, legs, seats, expires_at, released)
    SELECT train_id, user_id, id, legs, seats, expires_at, released FROM holds
    WHERE released OR expires_at <= unixepoch() * 1000000;
DELETE FROM holds WHERE released OR expires_at <= unixepoch() * 1000000;

DROP INDEX holds_live;
DROP INDEX holds_of_user;

-- A hold is in one of the tables.
-- +goose StatementBegin
CREATE TRIGGER hold_is_live AFTER INSERT ON holds BEGIN
    DELETE FROM ended_holds WHERE train_id = NEW.train_id AND user_id = NEW.user_id AND id = NEW.id;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER hold_has_ended AFTER INSERT ON ended_holds BEGIN
    DELETE FROM holds WHERE train_id = NEW.train_id AND id = NEW.id;
END;
-- +goose StatementEnd
