package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/persistence"
)

// ErrSettings says that what Open was given, or how Redis is set up, must be changed by
// somebody: to wait and try again does not help.
var ErrSettings = errors.New("wrong settings")

const (
	// poolSize bounds the connections for holds and for taking leases. A pipeline takes
	// one, and Redis does one thing at a time; more only queue there instead of here.
	poolSize = 32
	// After this many failed dials the library dials once a second only. Heartbeats and
	// renewals fail too seldom to get there before Redis counts as lost anyhow, and so
	// are back as soon as it is. They use two connections or so.
	reservedPoolSize = 64
)

// Options tune a DB.
type Options struct {
	Address string       // of this process, as in the leases on whose behalf it writes holds
	Logger  *slog.Logger // nil: discard
	// Timeout bounds each call, WriteHolds twice; persistence.LeaseCall if 0. It is there
	// for tests on busy machines: the times of a lease are made for the default.
	Timeout time.Duration
	// Traces gets a span for each call on behalf of somebody who has one; nil: there are
	// none.
	Traces trace.TracerProvider
}

// DB is a Redis. It is safe for concurrent use.
type DB struct {
	options Options
	// What keeps the process in office (renewals, heartbeats) has connections of its
	// own, so that a crowd of trains that start cannot keep it waiting.
	data, reserved *goredis.Client
	close          func() error

	mu         sync.Mutex
	born       map[string]string // of the marker, by member, when it was last seen
	closed     bool
	closing    chan struct{}
	background sync.WaitGroup // followers of changes
}

var (
	_ persistence.Holds   = (*DB)(nil)
	_ persistence.Leases  = (*DB)(nil)
	_ persistence.Members = (*DB)(nil)
)

// Open connects to the Redis at address, redis://[user:password@]host:port[/database] or
// rediss:// with TLS, and looks at how it is set up: with a maxmemory-policy that evicts
// it is refused, because leases and holds would vanish at random. An error that is not
// ErrSettings may be gone when it is tried again.
func Open(ctx context.Context, address string, options Options) (*DB, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Timeout <= 0 {
		options.Timeout = persistence.LeaseCall
	}
	o, err := clientOptions(address, options.Timeout)
	if err != nil {
		return nil, fmt.Errorf("redis: open: %w: %w", ErrSettings, err)
	}
	logging.Disable() // the library writes to standard error what it returns as errors too
	reserved := *o
	reserved.PoolSize = reservedPoolSize
	db := &DB{
		options: options, data: goredis.NewClient(o), reserved: goredis.NewClient(&reserved),
		born: map[string]string{}, closing: make(chan struct{}),
	}
	db.close = sync.OnceValue(db.closeAll)
	if options.Traces != nil { // what goes by the reserved connections is on nobody's behalf
		err = traced(db.data, options.Traces)
	}
	if err == nil {
		err = db.Ping(ctx)
	}
	if err == nil {
		err = db.checkSettings(ctx)
	}
	if goredis.HasErrorPrefix(err, "WRONGPASS ") || goredis.HasErrorPrefix(err, "NOAUTH ") {
		err = fmt.Errorf("%w: %w", ErrSettings, err)
	}
	if err != nil {
		return nil, errors.Join(wrap("open", err), db.Close())
	}
	return db, nil
}

// Close ends all connections; calls that are under way fail. It may be called twice.
func (db *DB) Close() error { return db.close() }

// Ping reports whether Redis can be reached and, where it stops writing because it cannot
// save, that.
func (db *DB) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	return wrap("ping", db.data.Ping(ctx).Err())
}

func (db *DB) closeAll() error {
	db.mu.Lock()
	db.closed = true
	close(db.closing)
	db.mu.Unlock()
	db.background.Wait()
	return errors.Join(db.data.Close(), db.reserved.Close())
}

// clientOptions reads the URL. Its password must not get into a message.
func clientOptions(address string, timeout time.Duration) (*goredis.Options, error) {
	o, err := goredis.ParseURL(address)
	if err != nil {
		if malformed, ok := errors.AsType[*url.Error](err); ok {
			err = malformed.Err
		}
		return nil, fmt.Errorf("the address of Redis is not redis://[user:password@]host:port[/database]: %w", err)
	}
	o.Protocol = 2 // nothing here needs what RESP3 adds
	o.DisableIdentity = true
	o.MaxRetries = -1 // see the package comment
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	// So that it is known in time whether there is a connection to send anything over.
	o.DialTimeout, o.PoolTimeout = timeout/2, timeout/2
	o.ReadTimeout, o.WriteTimeout = timeout, timeout
	o.PoolSize = poolSize
	o.PipelinePoolSize = -1 // a second pool would be dialled in vain before the first
	return o, nil
}
