-- A deleted user keeps its row: its name and email are empty, and their _folded columns are equal to
-- none that can be registered. users_admins finds the enabled admins, of whom one must stay. It is
-- built CONCURRENTLY, so that users register and log in meanwhile, and what was interrupted starts
-- over.
--
-- An earlier version that runs beside this one lets disabled users log in, but not refresh with a
-- process of this version.

-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE users
    ADD COLUMN IF NOT EXISTS disabled   boolean NOT NULL DEFAULT false,
    ADD COLUMN IF NOT EXISTS deleted_at timestamptz;
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS users_admins;
CREATE INDEX CONCURRENTLY users_admins ON users (id) WHERE is_admin AND NOT disabled;
RESET lock_timeout;
