package main

import (
	"log/slog"
	"os"
	"time"

	"github.com/go-logr/logr"
	"github.com/lmittmann/tint"
	"golang.org/x/term"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
)

// logger returns a logger that writes colored lines to a terminal, JSON otherwise.
func (s *settings) logger() *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		level = slog.LevelInfo // the command line accepts the four levels only
	}
	terminal := term.IsTerminal(int(os.Stderr.Fd()))
	if s.LogFormat == "console" || s.LogFormat == "auto" && terminal {
		return slog.New(tint.NewTextHandler(os.Stderr, &tint.Options{
			Level: level, TimeFormat: time.TimeOnly, NoColor: !terminal,
		}))
	}
	return slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// setLoggers makes controller-runtime and client-go use logger.
func setLoggers(logger *slog.Logger) {
	ctrl.SetLogger(logr.FromSlogHandler(logger.Handler()))
	klog.SetSlogLogger(logger)
}
