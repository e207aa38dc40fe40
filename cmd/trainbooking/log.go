package main

import (
	"log/slog"
	"time"

	"github.com/lmittmann/tint"

	"trainbooking.dev/config"
)

// newLogger returns the log of a valid Config: colored lines for a person, JSON for a
// machine.
func newLogger(c *config.Config, std streams) *slog.Logger {
	level, err := config.ParseLevel(c.LogLevel)
	if err != nil {
		level = slog.LevelInfo // Validate has refused it before
	}
	if c.LogFormat == config.LogConsole || c.LogFormat == config.LogAuto && std.terminal {
		return slog.New(tint.NewTextHandler(std.err, &tint.Options{
			Level: level, TimeFormat: time.TimeOnly, NoColor: !std.terminal,
		}))
	}
	return slog.New(slog.NewJSONHandler(std.err, &slog.HandlerOptions{Level: level}))
}

// commandLogger returns the log of a command that was told nothing about it.
func commandLogger(std streams) *slog.Logger {
	c := config.Default()
	return newLogger(&c, std)
}
