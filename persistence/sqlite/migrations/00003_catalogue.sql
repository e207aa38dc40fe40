-- Each change of a train takes the next revision, so that processes read only what has changed.

-- +goose Up
CREATE TABLE catalogue (
    revision INTEGER NOT NULL
) STRICT;

-- retires_at is a day after the last time of the train, or in the year 11000.
ALTER TABLE trains ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
ALTER TABLE trains ADD COLUMN retires_at INTEGER NOT NULL DEFAULT 284959296000000000;

UPDATE trains SET retires_at = coalesce((
    SELECT (max(unixepoch(coalesce(stop.value ->> 'departs_at', stop.value ->> 'arrives_at'))) + 86400) * 1000000
    FROM json_each(trains.stops) AS stop
), 284959296000000000);
UPDATE trains SET revision = numbered.revision
FROM (SELECT id, row_number() OVER (ORDER BY created_at, id) AS revision FROM trains) AS numbered
WHERE trains.id = numbered.id;

INSERT INTO catalogue (revision) SELECT count(*) FROM trains;

CREATE UNIQUE INDEX trains_by_revision ON trains (revision);
CREATE INDEX trains_by_retirement ON trains (retires_at, id) WHERE deleted_at IS NULL;
DROP INDEX trains_by_age;
