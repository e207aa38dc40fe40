-- A hold can be extended once.

-- +goose Up
ALTER TABLE holds ADD COLUMN extended INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ended_holds ADD COLUMN extended INTEGER NOT NULL DEFAULT 0;
