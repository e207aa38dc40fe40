-- The live holds of a user are found in the index by the end. An index by user would be another page to
-- write for each hold.

-- +goose Up
DROP INDEX holds_by_end;
CREATE INDEX holds_by_end ON holds (expires_at, user_id);
