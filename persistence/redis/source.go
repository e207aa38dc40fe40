package redis

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/persistence"
)

// errMoved is logged when the URL names another server.
var errMoved = errors.New("the URL has another host, database or form; " +
	"only its users and passwords are used until the process is restarted")

// problem is logged while a URL or a file is not used.
const problem = "new connections to Redis have the previous settings"

// source has what new connections need. Passwords and the files for TLS are replaced while the
// process runs, so it reads the URL and the files again for each connection. All connections must
// be to one Redis, so the hosts remain those of the start.
type source struct {
	reread  func() (string, error) // nil: the URL does not change
	timeout time.Duration
	files   persistence.TLSFiles
	base    *tls.Config // nil: no TLS
	log     *slog.Logger

	mu      sync.Mutex
	last    *goredis.UniversalOptions // from the last valid URL
	tls     *tls.Config               // from the last valid files
	warning persistence.Warning
}

// newSource returns a source for the URL at the start, and the options of clients that use it.
func newSource(address string, options Options) (s *source, o *goredis.UniversalOptions, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("redis: open: %w: the URL of Redis: %w", ErrSettings, err)
		}
	}()
	o, files, err := parseURL(address, options.Timeout)
	if err != nil {
		return nil, nil, err
	}
	s = &source{reread: options.Reread, timeout: options.Timeout, base: o.TLSConfig, log: options.Logger, last: o}
	if s.files, err = merge(files, options.TLS, o.TLSConfig != nil); err != nil {
		return nil, nil, err
	}
	use := *o
	if s.base != nil {
		if s.tls, err = load(s.files, s.base); err != nil {
			return nil, nil, err
		}
		use.TLSConfig, use.Dialer = nil, s.dial
	}
	if s.reread != nil {
		use.CredentialsProviderContext = s.credentials
		if use.MasterName != "" {
			use.SentinelUsername, use.SentinelPassword = "", "" // see authenticate
		}
	}
	return s, &use, nil
}

// credentials returns the user and password of a new connection.
func (s *source) credentials(context.Context) (user, password string, err error) {
	o := s.next()
	return o.Username, o.Password, nil
}

// authenticate is for new connections to Sentinels, for which go-redis has no credentials provider.
func (s *source) authenticate(ctx context.Context, to *goredis.Conn) error {
	switch o := s.next(); {
	case o.SentinelUsername != "":
		return to.AuthACL(ctx, o.SentinelUsername, o.SentinelPassword).Err()
	case o.SentinelPassword != "":
		return to.Auth(ctx, o.SentinelPassword).Err()
	}
	return nil
}

// dial connects with TLS.
func (s *source) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout/2)
	defer cancel()
	s.mu.Lock()
	config, err := load(s.files, s.base)
	if err == nil {
		s.tls = config
	}
	config = s.tls
	s.warning.Set(s.log, problem, err)
	s.mu.Unlock()
	return (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
}

// reason returns what is wrong with TLS after a call failed, nil if that is unknown: only one of the
// two sides uses TLS, or the server rejects the client certificate. Such a server waits for the end
// of a line or closes the connection, which looks like an outage.
func (s *source) reason(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
	defer cancel()
	switch {
	case s.base == nil && isTLS(ctx, address):
		return fmt.Errorf("%w: Redis uses TLS on this port; write rediss://, and set --redis-tls-ca if the system does not trust its authority", ErrSettings)
	case s.base != nil && isPlain(ctx, address):
		return fmt.Errorf("%w: Redis does not use TLS on this port; write redis://, or use the port with TLS", ErrSettings)
	case s.base != nil:
		return s.alert(ctx, address)
	}
	return nil
}

// alert returns the error with which a server ends a connection on which nothing was sent.
func (s *source) alert(ctx context.Context, address string) error {
	c, err := s.dial(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	if err := c.SetDeadline(deadline); err != nil {
		return err
	}
	_, err = c.Read(make([]byte, 1))
	return err
}

func isTLS(ctx context.Context, address string) bool {
	unverified := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // nothing is sent
	c, err := (&tls.Dialer{Config: unverified}).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = c.Close() // the server may have closed it first, since there is no certificate
	return true
}

func isPlain(ctx context.Context, address string) bool {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	defer c.Close()
	deadline, _ := ctx.Deadline()
	reply := make([]byte, 1)
	if err := c.SetDeadline(deadline); err != nil {
		return false
	}
	if _, err := io.WriteString(c, "PING\r\n"); err != nil {
		return false
	}
	_, err = c.Read(reply)
	return err == nil && (reply[0] == '+' || reply[0] == '-')
}

// next returns the current users and passwords, or the last valid ones while the URL cannot be read or
// is malformed, perhaps because it is being replaced.
func (s *source) next() *goredis.UniversalOptions {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, err := s.reread()
	if err == nil {
		var o *goredis.UniversalOptions
		if o, _, err = parseURL(text, s.timeout); err == nil {
			if !sameServer(o, s.last) {
				err = errMoved
			}
			users := *s.last
			users.Username, users.Password = o.Username, o.Password
			users.SentinelUsername, users.SentinelPassword = o.SentinelUsername, o.SentinelPassword
			s.last = &users
		}
	}
	s.warning.Set(s.log, problem, err)
	return s.last
}

func sameServer(a, b *goredis.UniversalOptions) bool {
	return slices.Equal(a.Addrs, b.Addrs) && a.MasterName == b.MasterName && a.DB == b.DB &&
		a.IsClusterMode == b.IsClusterMode && (a.TLSConfig == nil) == (b.TLSConfig == nil)
}
