package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"trainbooking.dev/config"
)

type serve struct {
	config.Config
}

// Run serves until ctx is cancelled or something fails. All acknowledged writes are stored
// before it returns.
func (c *serve) Run(ctx context.Context, sources *config.Sources, std stdio) error {
	if problems := append(sources.Problems(), c.Validate()...); len(problems) > 0 {
		return usageError{problems}
	}
	log := newLogger(&c.Config, std)
	for _, warning := range sources.Warnings() {
		log.Warn(warning)
	}
	s := &service{config: &c.Config, log: log}
	if err := s.open(ctx); err != nil {
		if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
			err = nil // stopped during the start
		}
		return errors.Join(err, s.close())
	}
	c.announce(s, log, std)
	if err := s.run(ctx); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// announce prints where the service listens, and what to do next, on a terminal. Otherwise
// it logs one line.
func (c *serve) announce(s *service, log *slog.Logger, std stdio) {
	clients := localURL(c.Scheme(), s.clients.Addr().String())
	metrics := localURL("http", s.operations.Addr().String()) + "/metrics"
	name, location := "data", c.DataDir
	if dir, err := filepath.Abs(location); err == nil {
		location = dir
	}
	if c.Clustered() {
		name, location = "cluster", c.Advertise
	}
	page, next := clients+"/", "Open "+clients+" in a browser"
	if !c.Page {
		page, next = "off", "Try curl '"+clients+"/v1/trains' in another terminal"
	}
	if !std.terminal {
		log.Info("serving", "clients", clients, "page", page, "metrics", metrics, name, location, "version", version)
		return
	}
	fmt.Fprintf(std.err, `
trainbooking %s is serving

  clients   %s
  docs      %s/docs
  metrics   %s
  %-9s %s

%s; Ctrl-C here stops the service.

`, version, clients, clients, metrics, name, location, next)
}
