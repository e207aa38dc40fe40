package redis

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"go.opentelemetry.io/otel/trace"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// ErrSettings means that the arguments of Open or the settings of Redis are wrong. Trying
// again does not help.
var ErrSettings = errors.New("wrong settings")

const (
	// poolSize limits the connections for holds and for acquiring leases. A pipeline uses
	// one connection, and Redis executes one command at a time, so more would only move the
	// queue there.
	poolSize = 32
	// After as many failed dials as a pool has connections, go-redis dials only once a second.
	// The pool for heartbeats and renewals is too large for that, so that they succeed as soon
	// as Redis is back. They need about two connections.
	reservedPoolSize = 64
)

// Options tune a DB.
type Options struct {
	Address string       // of this process, as in its leases
	Logger  *slog.Logger // nil: discard
	// Timeout limits each call (WriteHolds to twice that); 0: persistence.LeaseCall. Only
	// tests on busy machines change it: the times of a lease are derived from the default.
	Timeout time.Duration
	// Traces gets a child span for each call whose context has a span; nil: no spans.
	Traces trace.TracerProvider
}

// DB is a Redis. It is safe for concurrent use.
type DB struct {
	options Options
	// Renewals and heartbeats have connections of their own, so that they do not wait when
	// many trains are activated.
	data, reserved shards
	close          func() error
	batches        atomic.Uint64 // of holds that were written

	mu         sync.Mutex
	born       map[string]string // field of the marker at the last heartbeat, by member
	servers    map[string]bool   // run ids of the masters, at the last look
	closed     bool
	closing    chan struct{}
	background sync.WaitGroup // subscribers of Changes
}

var (
	_ booking.Attempts    = (*DB)(nil)
	_ persistence.Holds   = (*DB)(nil)
	_ persistence.Leases  = (*DB)(nil)
	_ persistence.Members = (*DB)(nil)
)

// Open connects to a Redis and checks its settings: with a maxmemory-policy that evicts keys, leases
// and holds could vanish, so the error is ErrSettings. Any other error may be temporary. The URL is
// one of
//
//	redis://[user:password@]host:port[/database]
//	redis://[user:password@]host:port?addr=host:port&addr=…    nodes of a Redis Cluster
//	redis://[user:password@]host:port?master_name=…&addr=…     Sentinels, with the user and password
//	                                                           of Redis in &username=…&password=…
//
// with rediss:// for TLS, and ca_file, cert_file and key_file in the query for files in PEM.
func Open(ctx context.Context, address string, options Options) (*DB, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	if options.Timeout <= 0 {
		options.Timeout = persistence.LeaseCall
	}
	o, err := parseURL(address, options.Timeout)
	if err != nil {
		return nil, fmt.Errorf("redis: open: %w: %w", ErrSettings, err)
	}
	logging.Disable() // the library also logs the errors that it returns
	db := &DB{
		options: options, data: openShards(o, poolSize), reserved: openShards(o, reservedPoolSize),
		born: map[string]string{}, servers: map[string]bool{}, closing: make(chan struct{}),
	}
	db.close = sync.OnceValue(db.closeAll)
	if options.Traces != nil { // calls on the reserved connections have no caller's span
		err = traced(db.data.UniversalClient, options.Traces)
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

// Close closes all connections; calls in flight fail. It may be called twice.
func (db *DB) Close() error { return db.close() }

// Ping returns an error if a master cannot be reached, or refuses writes because it cannot save.
func (db *DB) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	return wrap("ping", db.data.each(ctx, func(ctx context.Context, master *goredis.Client) error {
		return master.Ping(ctx).Err()
	}))
}

func (db *DB) closeAll() error {
	db.mu.Lock()
	db.closed = true
	close(db.closing)
	db.mu.Unlock()
	db.background.Wait()
	return errors.Join(db.data.Close(), db.reserved.Close())
}
