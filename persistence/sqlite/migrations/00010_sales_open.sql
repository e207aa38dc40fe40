-- A train may sell nothing before a time.

-- +goose Up
ALTER TABLE trains ADD COLUMN sales_open_at INTEGER;
