package postgres

import (
	"context"
	"fmt"
	"log/slog"
)

// oldestServer is the oldest version that the suites pass on, as server_version_num.
const oldestServer = 140_000

// server is what a server says of itself.
type server struct {
	version           int
	lockTimeout       string
	standbys          int
	synchronous       string // synchronous_standby_names
	synchronousCommit string
	fsync             string
}

// inspect refuses a server that the service cannot work with, and warns of one that can
// lose what was acknowledged.
func (db *DB) inspect(ctx context.Context, log *slog.Logger) error {
	const find = `
		SELECT current_setting('server_version_num')::int, current_setting('lock_timeout'),
			(SELECT count(*) FROM pg_stat_replication), current_setting('synchronous_standby_names'),
			current_setting('synchronous_commit'), current_setting('fsync')`
	if db.pool == nil {
		return nil // the error of connect says why
	}
	var found server
	err := db.adopt(ctx, "inspect", func(ctx context.Context, c *conn) (err error) {
		found, err = first(ctx, c, scanServer, find)
		return err
	})
	if err != nil {
		return err
	}
	if err := found.refusal(); err != nil {
		return fmt.Errorf("%w: %w", ErrSettings, err)
	}
	for _, sentence := range found.warnings() {
		log.WarnContext(ctx, sentence)
	}
	return nil
}

// refusal says why the service cannot work with the server.
func (s server) refusal() error {
	if s.version < oldestServer {
		return fmt.Errorf("the server is PostgreSQL %d: version %d or newer is needed", s.version/10_000, oldestServer/10_000)
	}
	if want := settings["lock_timeout"]; s.lockTimeout != want {
		return fmt.Errorf("lock_timeout is %s instead of %s: a pooler between drops the settings of sessions; "+
			"give them to the role (ALTER ROLE … SET lock_timeout = '%s' and so on, see docs/operations.md)",
			s.lockTimeout, want, want)
	}
	return nil
}

// warnings are sentences about what can make the server forget bookings.
func (s server) warnings() (sentences []string) {
	if s.standbys > 0 && s.synchronous == "" {
		sentences = append(sentences, "Postgres has standbys and synchronous_standby_names is empty: "+
			"a failover can lose acknowledged bookings")
	}
	if s.synchronousCommit == "off" {
		sentences = append(sentences, "synchronous_commit is off: a crash of Postgres loses acknowledged bookings")
	}
	if s.fsync == "off" {
		sentences = append(sentences, "fsync is off: a crash of the machine loses bookings or the whole database")
	}
	return sentences
}

func scanServer(r row) (s server, err error) {
	err = r.Scan(&s.version, &s.lockTimeout, &s.standbys, &s.synchronous, &s.synchronousCommit, &s.fsync)
	return s, err
}
