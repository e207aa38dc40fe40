package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// waitTime is how long a service that starts waits for what it stands on: a whole
	// installation starts at once, in no order. Then whoever runs it starts it again.
	waitTime = time.Minute
	// retryEvery is how often it looks, and sayEvery how often it says so.
	retryEvery = 500 * time.Millisecond
	sayEvery   = 5 * time.Second
)

// waited is something to wait for.
type waited struct {
	name    string // in a sentence
	setting string // that says where it is
	useless error  // an error that waiting cannot help
}

// await opens what cannot be reached yet, again and again. It ends when it can be, with
// an error that waiting cannot help, when waitTime is over, or with the error of ctx.
func await[T any](ctx context.Context, log *slog.Logger, w waited, open func(context.Context) (T, error)) (T, error) {
	limit, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	tick := time.NewTicker(retryEvery)
	defer tick.Stop()
	var said time.Time
	for {
		opened, err := open(limit)
		if err == nil || errors.Is(err, w.useless) {
			return opened, err
		}
		if time.Since(said) >= sayEvery && limit.Err() == nil {
			said = time.Now()
			log.Warn("waiting for "+w.name, "error", err)
		}
		select {
		case <-tick.C:
		case <-limit.Done():
			if ctx.Err() != nil {
				return opened, ctx.Err()
			}
			return opened, fmt.Errorf("%s is still out of reach after %s: see to it that it runs and that %s leads to it: %w",
				w.name, waitTime, w.setting, err)
		}
	}
}
