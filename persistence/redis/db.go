package redis

import (
	"context"
	"errors"
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

// The errors of Open for which trying again does not help.
var (
	// ErrSettings means that the arguments are wrong: the URL or a file is malformed, Redis refuses
	// them, or the user lacks permissions.
	ErrSettings = errors.New("wrong settings")
	// ErrPassword is the ErrSettings for a wrong password. A new one may not be in its file yet.
	ErrPassword = errors.New("wrong password")
	// ErrServer means that the settings of Redis are wrong.
	ErrServer = errors.New("unsuitable server")
)

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
	TLS     persistence.TLSFiles // instead of ca_file, cert_file and key_file of the URL
	// Reread returns the URL as it is now, with other users or passwords. It is called for each
	// connection. nil: the URL does not change.
	Reread func() (string, error)
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

// Open connects to a Redis and checks the rights of the user and the settings of Redis: with a
// maxmemory-policy that evicts keys, leases and holds could vanish, so the error is ErrServer. An error
// that is neither that nor ErrSettings may be temporary. The URL is one of
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
	from, o, err := newSource(address, options)
	if err != nil {
		return nil, err
	}
	logging.Disable() // the library also logs the errors that it returns
	db := &DB{
		options: options, data: openShards(o, from, poolSize), reserved: openShards(o, from, reservedPoolSize),
		born: map[string]string{}, servers: map[string]bool{}, closing: make(chan struct{}),
	}
	db.close = sync.OnceValue(db.closeAll)
	if options.Traces != nil { // calls on the reserved connections have no caller's span
		err = traced(db.data.UniversalClient, options.Traces)
	}
	if err == nil {
		err = db.Ping(ctx)
		if err != nil && !isReply(err) {
			err = errors.Join(from.reason(ctx, o.Addrs[0]), err)
		}
	}
	if err == nil {
		err = db.checkRights(ctx)
	}
	if err == nil {
		err = db.checkSettings(ctx)
	}
	if err != nil {
		return nil, errors.Join(wrap("open", translateOpen(err)), db.Close())
	}
	return db, nil
}

// Check returns ErrSettings if the URL or a file of the options is malformed. It does not connect.
func Check(address string, options Options) error {
	_, _, err := newSource(address, options)
	return err
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
