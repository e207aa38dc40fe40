package redis

import (
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/persistence"
)

// translate converts the error of a script to a sentinel of package persistence.
//
// An error reply begins with a code (OOM, READONLY, LOADING, NOSCRIPT). With any of them the
// script did not start or stopped at its first write, so it changed nothing. OOM means that
// Redis is out of memory, MISCONF that it refuses writes because it cannot save.
//
// Without a reply, the script was not executed if there was no connection. In every other
// case the outcome is unknown; the script may even be executed later.
func translate(err error) error {
	switch {
	case err == nil:
		return nil
	case goredis.HasErrorPrefix(err, "OOM "), goredis.HasErrorPrefix(err, "MISCONF "):
		return fmt.Errorf("%w: %w", persistence.ErrFull, err)
	case isReply(err), unsent(err):
		return err
	}
	return fmt.Errorf("%w: %w", persistence.ErrUnknown, err)
}

// translateOpen returns ErrSettings for errors that persist when Open is called again.
func translateOpen(err error) error {
	if goredis.HasErrorPrefix(err, "WRONGPASS ") || goredis.HasErrorPrefix(err, "NOAUTH ") {
		return fmt.Errorf("%w: %w: %w", ErrSettings, ErrPassword, err)
	}
	if noPermission(err) || goredis.HasErrorPrefix(err, "DB index ") {
		return fmt.Errorf("%w: %w", ErrSettings, err)
	}
	if advice := persistence.TLSAdvice(err, "Redis", "--redis-tls"); advice != "" {
		return fmt.Errorf("%w: %s: %w", ErrSettings, advice, err)
	}
	return err
}

// isReply reports whether err is an error reply of Redis.
func isReply(err error) bool {
	_, ok := errors.AsType[goredis.Error](err)
	return ok
}

// unsent reports whether err means that nothing was sent.
func unsent(err error) bool {
	if errors.Is(err, goredis.ErrPoolTimeout) || errors.Is(err, goredis.ErrPoolExhausted) || errors.Is(err, goredis.ErrClosed) {
		return true
	}
	_, ok := errors.AsType[unsentError](err)
	return ok
}

func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("redis: %s: %w", operation, err)
}
