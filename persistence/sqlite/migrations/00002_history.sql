-- Loading a train reads only what is live; what one user had is looked up, the latest first.

-- +goose Up
CREATE INDEX bookings_cancelled_of_user ON bookings (train_id, user_id, cancelled_at, id) WHERE cancelled_at IS NOT NULL;
DROP INDEX bookings_cancelled;

CREATE INDEX holds_live ON holds (train_id, expires_at) WHERE NOT released;
CREATE INDEX holds_of_user ON holds (train_id, user_id, expires_at);
