-- A schedule is a train that runs on many days. Its departures are rows of trains only once they are
-- adopted. Their ids are in the range from that of the schedule to the same with ff in its last four bytes,
-- and follows is the revision at which the definition that a departure follows was defined, or 0.
--
-- definition is JSON, with all but the id and the times of creation and change. defined is the revision of
-- its last change, or of the deletion; deletion is booking.ScheduleDeletion. cancelled are day numbers.

-- +goose Up
ALTER TABLE trains ADD COLUMN follows INTEGER NOT NULL DEFAULT 0;
ALTER TABLE former_trains ADD COLUMN follows INTEGER NOT NULL DEFAULT 0;

CREATE TABLE schedules (
    id         BLOB    NOT NULL PRIMARY KEY,
    revision   INTEGER NOT NULL,
    defined    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    retires_at INTEGER NOT NULL,
    deleted_at INTEGER,
    deletion   INTEGER,
    cancelled  TEXT    NOT NULL DEFAULT '[]',
    definition TEXT    NOT NULL
) STRICT;

CREATE UNIQUE INDEX schedules_by_revision ON schedules (revision);

-- What a schedule was from a revision on, until the next: deleted, or not.
CREATE TABLE former_schedules (
    schedule_id BLOB    NOT NULL,
    defined     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL,
    deleted     INTEGER NOT NULL,
    definition  TEXT    NOT NULL,
    PRIMARY KEY (schedule_id, defined)
) STRICT;
