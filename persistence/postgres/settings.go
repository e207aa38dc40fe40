package postgres

import (
	"context"
	"fmt"
	"log/slog"
	"maps"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// settings are those of every session (RELIABILITY.md 2).
var settings = map[string]string{
	"default_transaction_isolation":       "read committed",
	"lock_timeout":                        "3s",
	"statement_timeout":                   "5s",
	"idle_in_transaction_session_timeout": "2s",
}

// plans are further settings of every session except those of migrations. Each statement finds
// its rows by an index, for any parameters, so a generic plan halves the time of a sale (1.0 to
// 0.5 ms). Without enable_seqscan=off, a plan that was made for three trains would scan the
// table when it has thousands. jit is off because the planner overestimates Book, and
// compiling it takes longer than running it, and so does starting workers for a page of trains.
var plans = map[string]string{
	"plan_cache_mode": "force_generic_plan",
	"enable_seqscan":  "off",
	"jit":             "off",

	"max_parallel_workers_per_gather": "0",
}

// These statements change the settings of the sessions that have a purpose. They run after
// connecting, so that they also work through a pooler that drops the settings of a connection.
//
// Sales and changes give up a lock soon, because the other trains need the connection: the caller
// repeats them (ErrLocked). Statements of this package that wait for each other take a few
// milliseconds. Sales end before the writer stops waiting, so that a slow one is not unknown. An
// adoption waits longer than a sale takes, and ends before aheadTimeout.
const (
	saleSettings     = `SET lock_timeout = '100ms'; SET statement_timeout = '2s'`
	changeSettings   = `SET lock_timeout = '100ms'`
	adoptionSettings = `SET lock_timeout = '2500ms'`
)

// oldestServer is the oldest supported server_version_num, on which the suites pass.
const oldestServer = 140_000

// configure sets the settings of every session, and refuses a standby, whose data may be old.
func configure(config *pgx.ConnConfig) {
	maps.Copy(config.RuntimeParams, settings)
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "trainbooking"
	}
	if config.ConnectTimeout == 0 || config.ConnectTimeout > connectTimeout {
		config.ConnectTimeout = connectTimeout
	}
	config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
}

// server is the version and settings of a server.
type server struct {
	version           int
	lockTimeout       string
	standbys          int
	synchronous       string // synchronous_standby_names
	synchronousCommit string
	fsync             string
}

// checkSettings returns ErrServer if the service cannot work with the server, and warns of
// settings that can lose acknowledged bookings.
func (db *DB) checkSettings(ctx context.Context, log *slog.Logger) error {
	const find = `
		SELECT current_setting('server_version_num')::int, current_setting('lock_timeout'),
			(SELECT count(*) FROM pg_stat_replication), current_setting('synchronous_standby_names'),
			current_setting('synchronous_commit'), current_setting('fsync')`
	var found server
	err := db.read(ctx, "check settings", func(ctx context.Context, c *conn) (err error) {
		found, err = first(ctx, c, scanServer, find)
		return err
	})
	if err != nil {
		return err
	}
	if err := found.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrServer, err)
	}
	for _, warning := range found.warnings() {
		log.WarnContext(ctx, warning)
	}
	return nil
}

// check returns why the service cannot work with the server.
func (s server) check() error {
	if s.version < oldestServer {
		return fmt.Errorf("the server is PostgreSQL %d, but version %d or newer is needed", s.version/10_000, oldestServer/10_000)
	}
	if want := settings["lock_timeout"]; s.lockTimeout != want {
		return fmt.Errorf("lock_timeout is %s instead of %s: a connection pooler drops the settings of sessions; "+
			"give them to the role (ALTER ROLE … SET lock_timeout = '%s' and so on, see docs/operations.md)",
			s.lockTimeout, want, want)
	}
	return nil
}

// warnings returns a warning for each setting that can lose bookings.
func (s server) warnings() (warnings []string) {
	if s.standbys > 0 && s.synchronous == "" {
		warnings = append(warnings, "Postgres has standbys and synchronous_standby_names is empty: "+
			"a failover can lose acknowledged bookings")
	}
	if s.synchronousCommit == "off" {
		warnings = append(warnings, "synchronous_commit is off: a crash of Postgres loses acknowledged bookings")
	}
	if s.fsync == "off" {
		warnings = append(warnings, "fsync is off: a crash of the machine loses bookings or the whole database")
	}
	return warnings
}

func scanServer(r row) (s server, err error) {
	err = r.Scan(&s.version, &s.lockTimeout, &s.standbys, &s.synchronous, &s.synchronousCommit, &s.fsync)
	return s, err
}
