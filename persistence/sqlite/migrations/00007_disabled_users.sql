-- A deleted user keeps its row: its name and email are empty, and their _folded columns are equal to
-- none that can be registered. users_admins finds the enabled admins, of whom one must stay.

-- +goose Up
ALTER TABLE users ADD COLUMN disabled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE users ADD COLUMN deleted_at INTEGER;
CREATE INDEX users_admins ON users (id) WHERE is_admin AND NOT disabled;
