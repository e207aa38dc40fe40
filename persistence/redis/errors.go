package redis

import (
	"errors"
	"fmt"
	"net"

	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/persistence"
)

// translate turns the error of a script into what persistence names.
//
// A reply that is an error begins with a code (OOM, READONLY, LOADING, NOSCRIPT); with
// any of them the script was not begun or stopped at its first write, so nothing was
// done. OOM is memory; MISCONF says that Redis cannot save and therefore does not write.
//
// Without a reply, the script was not done if there was no connection to send it over.
// In every other case nobody knows: it may even be under way still.
func translate(err error) error {
	switch {
	case err == nil:
		return nil
	case goredis.HasErrorPrefix(err, "OOM "), goredis.HasErrorPrefix(err, "MISCONF "):
		return fmt.Errorf("%w: %w", persistence.ErrFull, err)
	case answered(err), unsent(err):
		return err
	}
	return fmt.Errorf("%w: %w", persistence.ErrUnknown, err)
}

// answered reports whether err is a reply of Redis.
func answered(err error) bool {
	_, ok := errors.AsType[goredis.Error](err)
	return ok
}

// unsent reports whether err came before anything was sent: there was no connection.
func unsent(err error) bool {
	if errors.Is(err, goredis.ErrPoolTimeout) || errors.Is(err, goredis.ErrPoolExhausted) || errors.Is(err, goredis.ErrClosed) {
		return true
	}
	network, ok := errors.AsType[*net.OpError](err)
	return ok && network.Op == "dial"
}

func wrap(operation string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("redis: %s: %w", operation, err)
}
