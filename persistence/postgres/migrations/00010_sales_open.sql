-- A train may sell nothing before a time. An earlier version that runs beside this one ignores it.

-- +goose Up
ALTER TABLE trains ADD COLUMN IF NOT EXISTS sales_open_at timestamptz;
