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

// errMoved is logged when the URL names another server.
var errMoved = errors.New("the URL has another host, database or parameter; " +
	"only its user and password are used until the process is restarted")

// source has the configuration of new connections. The password and the TLS files may be replaced
// while the process runs, so it reads the URL and the files again for each connection. All
// connections must be to one database, so the hosts, the database and the parameters remain those
// from the start.
type source struct {
	url      string // at the start
	reread   func() (string, error)
	files    persistence.TLSFiles
	complete func(*pgx.ConnConfig)
	log      *slog.Logger

	mu      sync.Mutex
	last    *pgx.ConnConfig // from the last valid URL
	warning persistence.Warning
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

// next returns the configuration of the next connection, or the last valid one while the URL or a file
// cannot be read or is malformed, perhaps because it is being replaced.
func (s *source) next() *pgx.ConnConfig {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, err := s.read()
	if next != nil {
		s.last = next
	}
	s.warning.Set(s.log, "new connections to Postgres have the previous settings", err)
	return s.last.Copy()
}

// read returns nil, and the problem if there is one, if the last configuration must be used.
func (s *source) read() (*pgx.ConnConfig, error) {
	text, err := s.reread()
	if err != nil {
		return nil, err
	}
	changed, _, err := parse(text, s.files, s.complete)
	if err != nil {
		return nil, err
	}
	config, _, err := parse(s.url, s.files, s.complete) // not of text, which may weaken TLS
	if err != nil {
		return nil, err
	}
	next := config.ConnConfig
	next.User, next.Password = changed.ConnConfig.User, changed.ConnConfig.Password
	if !sameServer(changed.ConnConfig, next) || !maps.Equal(fixed(text), fixed(s.url)) {
		return next, errMoved
	}
	return next, nil
}

// fixed returns the parameters of a URL that has been parsed, without those that say who connects, and
// those that sameServer compares.
func fixed(text string) map[string]string {
	all, _ := parametersOf(text)
	values := map[string]string{}
	for _, p := range all {
		switch p.name {
		case "user", "password", "passfile", "host", "port", "dbname", "database":
		default:
			values[p.name] = p.value // the last one counts
		}
	}
	return values
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
