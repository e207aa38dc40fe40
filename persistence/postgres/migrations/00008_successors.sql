-- A used token has its successor, which a repeated refresh returns again for a few seconds. A token
-- that an earlier version has marked as used has none: its reuse revokes the family at once.

-- +goose Up
ALTER TABLE refresh_tokens ADD COLUMN successor uuid;
