-- Each change of a train takes the next revision, so that processes read only what has changed. The
-- row of catalogue is locked until the change is committed, so revisions become visible in their order.

-- +goose Up
CREATE TABLE catalogue (
    singleton boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (singleton),
    revision  bigint  NOT NULL
);

-- retires_at is a day after the last time of the train, or in the year 11000.
ALTER TABLE trains
    ADD COLUMN revision   bigint      NOT NULL DEFAULT 0,
    ADD COLUMN retires_at timestamptz NOT NULL DEFAULT '11000-01-01 00:00:00+00';

UPDATE trains SET
    revision = numbered.revision,
    retires_at = coalesce((
        SELECT max(at) + interval '1 day'
        FROM json_array_elements(trains.stops) AS stop,
            LATERAL (VALUES ((stop ->> 'arrives_at')::timestamptz), ((stop ->> 'departs_at')::timestamptz)) AS times (at)
    ), '11000-01-01 00:00:00+00')
FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS revision FROM trains) AS numbered
WHERE trains.id = numbered.id;

INSERT INTO catalogue (revision) SELECT count(*) FROM trains;

ALTER TABLE trains ALTER COLUMN revision DROP DEFAULT, ALTER COLUMN retires_at DROP DEFAULT;
CREATE UNIQUE INDEX trains_by_revision ON trains (revision);
CREATE INDEX trains_by_retirement ON trains (retires_at, id) WHERE deleted_at IS NULL;
DROP INDEX trains_by_age;
