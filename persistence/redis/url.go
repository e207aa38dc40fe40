package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// urlForms is part of the error for a malformed URL.
const urlForms = `redis://[user:password@]host:port[/database], with ?addr=host:port for each further node of a Redis Cluster, ` +
	`or ?master_name=name and &addr=host:port for further Sentinels; rediss:// for TLS`

// parseURL parses the URL of Redis, in the forms of go-redis's ParseURL, ParseClusterURL and
// ParseFailoverURL. Its parameters may also name files in PEM, for TLS: ca_file has the
// certificate authorities to trust instead of those of the system, cert_file and key_file the
// certificate of this client. Its errors do not contain a password.
func parseURL(address string, timeout time.Duration) (*goredis.UniversalOptions, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, malformed(address)
	}
	files, address := cutFiles(u)
	o, err := parseForm(u, address)
	if err != nil {
		return nil, err
	}
	if o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
		return nil, errors.New("the URL of Redis asks for reads from replicas, which lag: remove that parameter")
	}
	if err := files.addTo(o.TLSConfig); err != nil {
		return nil, err
	}
	limit(o, timeout)
	return o, nil
}

// parseForm parses the URL, whose text is address.
func parseForm(u *url.URL, address string) (*goredis.UniversalOptions, error) {
	query := u.Query()
	switch {
	case u.Scheme != "redis" && u.Scheme != "rediss":
		return nil, malformed(address)
	case query.Has("master_name"):
		o, err := goredis.ParseFailoverURL(address)
		if err != nil || o.MasterName == "" {
			return nil, malformed(address)
		}
		return &goredis.UniversalOptions{
			Addrs: o.SentinelAddrs, MasterName: o.MasterName, DB: o.DB, ClientName: o.ClientName,
			SentinelUsername: o.SentinelUsername, SentinelPassword: o.SentinelPassword,
			Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
			ReadOnly: o.ReplicaOnly || o.UseDisconnectedReplicas, RouteByLatency: o.RouteByLatency, RouteRandomly: o.RouteRandomly,
		}, nil
	case query.Has("addr"):
		o, err := goredis.ParseClusterURL(address)
		if err != nil {
			return nil, malformed(address)
		}
		if strings.Trim(u.Path, "/0") != "" {
			return nil, errors.New("the URL of Redis has a database, but a Redis Cluster has only database 0: remove it")
		}
		return &goredis.UniversalOptions{
			Addrs: o.Addrs, IsClusterMode: true, ClientName: o.ClientName,
			Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
			ReadOnly: o.ReadOnly, RouteByLatency: o.RouteByLatency, RouteRandomly: o.RouteRandomly,
		}, nil
	}
	o, err := goredis.ParseURL(address)
	if err != nil {
		return nil, malformed(address)
	}
	return &goredis.UniversalOptions{
		Addrs: []string{o.Addr}, DB: o.DB, ClientName: o.ClientName,
		Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
	}, nil
}

// limit sets what the package comment says about calls. It replaces parameters of the URL.
func limit(o *goredis.UniversalOptions, timeout time.Duration) {
	o.Protocol = 2 // no feature of RESP3 is needed
	o.DisableIdentity = true
	// See the package comment. MaxRedirects also counts the retries of a cluster's client.
	o.MaxRetries, o.MaxRedirects = -1, -1
	o.DialerRetries = 1
	o.ContextTimeoutEnabled = true
	// Half of the timeout, so that a call that gets no connection fails with that error.
	o.DialTimeout, o.PoolTimeout = timeout/2, timeout/2
	o.ReadTimeout, o.WriteTimeout = timeout, timeout
	o.PipelinePoolSize = -1 // no second pool for pipelines
}

// malformed returns the error for a malformed URL. The parsers' errors may contain any part of
// the URL, so their reason is for the part that has no password: what follows the last @.
func malformed(address string) error {
	scheme, rest, _ := strings.Cut(address, "://")
	if scheme != "redis" && scheme != "rediss" {
		return errors.New("the URL of Redis does not begin with redis:// or rediss://")
	}
	err := fmt.Errorf("the URL of Redis is malformed: it must be %s", urlForms)
	userinfo := strings.LastIndexByte(rest, '@') + 1
	if strings.Contains(rest[userinfo:], "password") {
		return err
	}
	u, reason := url.Parse("redis://" + rest[userinfo:])
	if reason == nil {
		_, reason = parseReason(u)
	}
	switch inner, ok := errors.AsType[*url.Error](reason); {
	case ok:
		return fmt.Errorf("%w: %w", err, inner.Err)
	case reason != nil:
		return fmt.Errorf("%w: %w", err, reason)
	case userinfo > 0:
		return errors.New("the user or password in the URL of Redis has characters that must be percent-encoded, such as / ? # @ or %")
	}
	return err
}

// parseReason returns the error of go-redis for a URL without a password.
func parseReason(u *url.URL) (any, error) {
	switch {
	case u.Query().Get("master_name") != "":
		return goredis.ParseFailoverURL(u.String())
	case u.Query().Has("master_name"):
		return nil, errors.New("master_name is empty")
	case u.Query().Has("addr"):
		return goredis.ParseClusterURL(u.String())
	}
	return goredis.ParseURL(u.String())
}

// tlsFiles are paths of files in PEM, "" if not given.
type tlsFiles struct{ authority, certificate, key string }

// cutFiles returns the files that a URL names, and the URL without them.
func cutFiles(u *url.URL) (f tlsFiles, rest string) {
	query := u.Query()
	for name, file := range map[string]*string{"ca_file": &f.authority, "cert_file": &f.certificate, "key_file": &f.key} {
		*file = query.Get(name)
		query.Del(name)
	}
	if f == (tlsFiles{}) {
		return f, u.String()
	}
	without := *u
	without.RawQuery = query.Encode()
	return f, without.String()
}

// addTo adds the files to the settings of TLS, which are nil without it. The certificate is read
// for each connection, because it is renewed while the process runs.
func (f tlsFiles) addTo(to *tls.Config) error {
	if f == (tlsFiles{}) {
		return nil
	}
	if to == nil {
		return errors.New("the URL of Redis names files for TLS, but begins with redis://, which is without it: use rediss://")
	}
	if (f.certificate == "") != (f.key == "") {
		return errors.New("the URL of Redis has one of cert_file and key_file: set both or neither")
	}
	if f.authority != "" {
		pem, err := os.ReadFile(f.authority)
		if err != nil {
			return fmt.Errorf("ca_file of the URL of Redis: %w", err)
		}
		to.RootCAs = x509.NewCertPool()
		if !to.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("ca_file of the URL of Redis: %s contains no certificate in PEM", f.authority)
		}
	}
	if f.certificate == "" {
		return nil
	}
	load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		certificate, err := tls.LoadX509KeyPair(f.certificate, f.key)
		return &certificate, err
	}
	if _, err := load(nil); err != nil {
		return fmt.Errorf("cert_file and key_file of the URL of Redis: %w", err)
	}
	to.GetClientCertificate = load
	return nil
}
