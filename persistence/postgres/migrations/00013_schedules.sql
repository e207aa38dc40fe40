-- A schedule is a train that runs on many days. Its departures are rows of trains only once they are
-- adopted. Their ids are in the range from that of the schedule to the same with ff in its last four bytes,
-- and follows is the revision at which the definition that a departure follows was defined, or 0.
--
-- definition is JSON, with all but the id and the times of creation and change. defined is the revision of
-- its last change, or of the deletion; deletion is booking.ScheduleDeletion. cancelled are day numbers.
--
-- Sales continue meanwhile, as in 00009_cancelled_bookings.sql. An earlier version that runs beside this
-- one sells departures that have a row, and does not change what they follow.

-- +goose NO TRANSACTION
-- +goose Up
-- +goose StatementBegin
DO $$
BEGIN
    SET LOCAL lock_timeout = '500ms';
    LOOP
        BEGIN
            ALTER TABLE trains ADD COLUMN IF NOT EXISTS follows bigint NOT NULL DEFAULT 0;
            ALTER TABLE former_trains ADD COLUMN IF NOT EXISTS follows bigint NOT NULL DEFAULT 0;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
        END;
    END LOOP;
END $$;
-- +goose StatementEnd
CREATE TABLE IF NOT EXISTS schedules (
    id         uuid        NOT NULL PRIMARY KEY,
    revision   bigint      NOT NULL,
    defined    bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    retires_at timestamptz NOT NULL,
    deleted_at timestamptz,
    deletion   integer,
    cancelled  integer[]   NOT NULL DEFAULT '{}',
    definition json        NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS schedules_by_revision ON schedules (revision);

-- What a schedule was from a revision on, until the next: deleted, or not.
CREATE TABLE IF NOT EXISTS former_schedules (
    schedule_id uuid        NOT NULL,
    defined     bigint      NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    deleted     boolean     NOT NULL,
    definition  json        NOT NULL,
    PRIMARY KEY (schedule_id, defined)
);
