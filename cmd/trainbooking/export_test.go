package main

import (
	"context"
	"log/slog"
)

// For tests.
var (
	PeerTokens = peerTokens
	PeerTLS    = peerTLS
)

// Await is await for something that has only an error to tell.
func Await(ctx context.Context, log *slog.Logger, useless error, open func() error) error {
	_, err := await(ctx, log, waited{"Postgres", "--database-url", useless},
		func(context.Context) (struct{}, error) { return struct{}{}, open() })
	return err
}
