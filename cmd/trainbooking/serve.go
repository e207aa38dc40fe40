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

// Run serves until ctx is done or something fails. Everything that was acknowledged is
// stored before it returns.
func (c *serve) Run(ctx context.Context, sources *config.Sources, std streams) error {
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
			err = nil // told to end before it was up
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

// announce says where the service listens: in a few lines with the next command to try
// for a person, in one for a log.
func (c *serve) announce(s *service, log *slog.Logger, std streams) {
	clients, metrics := localURL(s.clients.Addr().String()), localURL(s.operations.Addr().String())+"/metrics"
	name, place := "data", c.DataDir
	if dir, err := filepath.Abs(place); err == nil {
		place = dir
	}
	if c.Clustered() {
		name, place = "cluster", c.Advertise
	}
	if !std.terminal {
		log.Info("serving", "clients", clients, "metrics", metrics, name, place, "version", version)
		return
	}
	try := clients + "/v1/trains"
	if c.Demo {
		try = clients + "/train/get-trains/?source=Delhi&destination=Mumbai"
	}
	fmt.Fprintf(std.err, `
trainbooking %s is serving

  clients   %s
  docs      %s/docs
  metrics   %s
  %-9s %s

Try this in another terminal; Ctrl-C here stops the service:

  curl '%s'

`, version, clients, clients, metrics, name, place, try)
}
