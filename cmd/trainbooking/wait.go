package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

const (
	// waitTimeout is how long a starting service waits for a dependency, because the parts
	// of an installation may start in any order. After it, the service exits, and its
	// supervisor restarts it.
	waitTimeout   = time.Minute
	retryInterval = 500 * time.Millisecond
	logInterval   = 5 * time.Second
)

// dependency is a store that a starting service waits for. Its errors are the permanent errors of the
// store, nil if there is none.
type dependency struct {
	name string
	url  urlSetting

	settings error // the settings of this process are wrong
	password error // the password is wrong, but the URL's file may soon have a new one
	server   error // the settings of the server are wrong
}

// await calls open until it succeeds and returns its result. It returns the error of open
// if that is permanent or waitTimeout has passed, and the error of ctx if ctx ends.
func await[T any](ctx context.Context, log *slog.Logger, d dependency, open func(context.Context) (T, error)) (T, error) {
	limit, cancel := context.WithTimeout(ctx, waitTimeout)
	defer cancel()
	tick := time.NewTicker(retryInterval)
	defer tick.Stop()
	var logged time.Time
	for {
		opened, err := open(limit)
		if err == nil || d.permanent(err) {
			return opened, err
		}
		if time.Since(logged) >= logInterval && limit.Err() == nil {
			logged = time.Now()
			log.Warn("waiting for "+d.name, "error", err)
		}
		select {
		case <-tick.C:
		case <-limit.Done():
			if ctx.Err() != nil {
				return opened, ctx.Err()
			}
			return opened, fmt.Errorf("%s is still unreachable after %s: check that it runs and that %s is correct: %w",
				d.name, waitTimeout, d.url.flag, err)
		}
	}
}

// permanent reports whether it is useless to try again after err.
func (d *dependency) permanent(err error) bool {
	if d.password != nil && errors.Is(err, d.password) && d.url.path != "" {
		return false
	}
	_, isUsage := errors.AsType[usageError](err)
	return isUsage || errors.Is(err, d.settings) || d.server != nil && errors.Is(err, d.server)
}
