-- The primary key of bookings begins with the train, as that of seats does, so that a distributed
-- Postgres can keep a train's rows together (docs/scaling.md). An id still belongs to one train:
-- it is derived from the id of a hold, which has its train in it. bookings_by_id finds a booking by
-- its id alone; it is unique for the version before, which says ON CONFLICT (id).
--
-- CONCURRENTLY, so that sales continue meanwhile, and without lock_timeout, because it waits for
-- readers that began before, such as pg_dump. Only the swap of the keys locks the table. While it
-- waits for that lock, sales wait behind it, so it gives up after half a second and tries again.
-- Whatever was interrupted starts over.

-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS bookings_by_id;
CREATE UNIQUE INDEX CONCURRENTLY bookings_by_id ON bookings (id);
DROP INDEX CONCURRENTLY IF EXISTS bookings_key;
CREATE UNIQUE INDEX CONCURRENTLY bookings_key ON bookings (train_id, id);
-- +goose StatementBegin
DO $$
BEGIN
    SET LOCAL lock_timeout = '500ms';
    LOOP
        BEGIN
            ALTER TABLE bookings DROP CONSTRAINT bookings_pkey,
                ADD CONSTRAINT bookings_pkey PRIMARY KEY USING INDEX bookings_key;
            RETURN;
        EXCEPTION WHEN lock_not_available THEN
            PERFORM pg_sleep(1);
        END;
    END LOOP;
END $$;
-- +goose StatementEnd
RESET lock_timeout;
