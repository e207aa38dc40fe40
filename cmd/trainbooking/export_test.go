package main

import (
	"context"
	"io"
	"log/slog"

	"trainbooking.dev/config"
)

var (
	PeerTokens = peerTokens
	PeerTLS    = peerTLS
)

// Await is await without a result.
func Await(ctx context.Context, log *slog.Logger, permanent error, open func() error) error {
	_, err := await(ctx, log, dependency{name: "Postgres", url: urlSetting{flag: "--database-url"}, settings: permanent},
		func(context.Context) (struct{}, error) { return struct{}{}, open() })
	return err
}

var Names = names

// Parse parses a command line without running its command.
func Parse(args []string, out io.Writer) error {
	_, err := parse(context.Background(), args, config.NewSources(nil), out)
	return err
}
