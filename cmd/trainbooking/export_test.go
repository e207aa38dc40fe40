package main

import (
	"context"
	"log/slog"
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
