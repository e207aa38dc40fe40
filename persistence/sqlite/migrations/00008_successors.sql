-- A used token has its successor, which a repeated refresh returns again for a few seconds.

-- +goose Up
ALTER TABLE refresh_tokens ADD COLUMN successor BLOB;
