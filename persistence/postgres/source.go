package postgres

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"trainbooking.dev/persistence"
)

// errMoved is logged when the URL has another server.
var errMoved = errors.New("the URL has another host, database or parameter; " +
	"only its user and password are used until the process is restarted")

// source has the configuration of new connections. A password and the files for TLS are replaced
// while the process runs, so it reads the URL and the files again for each connection. All
// connections must be to one database, so the hosts, the database and the parameters remain those of
// the start.
type source struct {
	url      string // at the start
	reread   func() (string, error)
	files    persistence.TLSFiles
	complete func(*pgx.ConnConfig)
	log      *slog.Logger

	mu      sync.Mutex
	last    *pgx.ConnConfig // that was right
	problem string          // that is logged
}

// newSource returns a source, and the configuration of a pool at the start.
func newSource(url string, reread func() (string, error), options Options, complete func(*pgx.ConnConfig)) (
	s *source, config *pgxpool.Config, warnings []string, err error,
) {
	if config, warnings, err = parse(url, options.TLS, complete); err != nil {
		return nil, nil, nil, err
	}
	if reread == nil {
		reread = func() (string, error) { return url, nil }
	}
	return &source{
		url: url, reread: reread, files: options.TLS, complete: complete, log: options.Logger, last: config.ConnConfig,
	}, config, warnings, nil
}

// refresh replaces the configuration of a new connection.
func (s *source) refresh(_ context.Context, config *pgx.ConnConfig) error {
	*config = *s.next()
	return nil
}

// next returns the configuration of the next connection. While the URL or a file cannot be read or is
// malformed, perhaps because it is being replaced, it is the last one.
func (s *source) next() *pgx.ConnConfig {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, err := s.read()
	if next != nil {
		s.last = next
	}
	s.note(err)
	return s.last.Copy()
}

// read returns nil if the last configuration is still the best, and what is wrong.
func (s *source) read() (*pgx.ConnConfig, error) {
	text, err := s.reread()
	if err != nil {
		return nil, err
	}
	config, _, err := parse(text, s.files, s.complete)
	if err != nil {
		return nil, err
	}
	if sameServer(config.ConnConfig, s.last) {
		return config.ConnConfig, nil
	}
	first, _, err := parse(s.url, s.files, s.complete)
	if err != nil {
		return nil, err
	}
	first.ConnConfig.User, first.ConnConfig.Password = config.ConnConfig.User, config.ConnConfig.Password
	return first.ConnConfig, errMoved
}

// note logs a problem when it begins.
func (s *source) note(err error) {
	problem := ""
	if err != nil {
		problem = err.Error()
	}
	if problem != s.problem && problem != "" {
		s.log.Warn("new connections to Postgres have the previous settings", "error", err)
	}
	s.problem = problem
}

func sameServer(a, b *pgx.ConnConfig) bool {
	same := a.Host == b.Host && a.Port == b.Port && a.Database == b.Database &&
		len(a.Fallbacks) == len(b.Fallbacks) && maps.Equal(a.RuntimeParams, b.RuntimeParams)
	for i := range a.Fallbacks {
		same = same && sameHost(a.Fallbacks[i], b.Fallbacks[i])
	}
	return same
}

func sameHost(a, b *pgconn.FallbackConfig) bool { return a.Host == b.Host && a.Port == b.Port }
