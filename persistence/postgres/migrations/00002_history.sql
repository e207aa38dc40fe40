-- Loading a train reads only what is live; what one user had is looked up, the latest first.
--
-- CONCURRENTLY, so that sales continue meanwhile, and without lock_timeout, because it waits for
-- readers that began before, such as pg_dump. A build that was interrupted leaves an index that is
-- not used, so the next one starts over. The index also serves version 1, whose query is
-- slower with it.

-- +goose NO TRANSACTION
-- +goose Up
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS bookings_cancelled_of_user;
CREATE INDEX CONCURRENTLY bookings_cancelled_of_user ON bookings (train_id, user_id, cancelled_at, id)
    WHERE cancelled_at IS NOT NULL;
DROP INDEX CONCURRENTLY IF EXISTS bookings_cancelled;
RESET lock_timeout;
