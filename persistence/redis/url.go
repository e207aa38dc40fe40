package redis

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"trainbooking.dev/persistence"
)

// errMalformed is the only error for a URL that cannot be parsed, because any part of it may be a part
// of the password, and the errors of the parsers quote the URL.
var errMalformed = errors.New("it is not redis://[user:password@]host:port[/database], " +
	"with ?addr=host:port for each further node of a Redis Cluster, or ?master_name=name and &addr=host:port for further Sentinels; " +
	"rediss:// for TLS. Characters such as / ? # @ or % in the user or password must be percent-encoded (%2F %3F %23 %40 %25)")

var (
	hostPort = regexp.MustCompile(`^([A-Za-z0-9._-]*|\[[A-Za-z0-9:.%]+\])(:[0-9]{1,5})?$`)
	database = regexp.MustCompile(`^/?[0-9]{0,9}/?$`)
)

// parseURL parses the URL of Redis, in the forms of go-redis's ParseURL, ParseClusterURL and
// ParseFailoverURL. Its parameters may also name files in PEM, for TLS: ca_file has the
// certificate authorities to trust instead of those of the system, cert_file and key_file the
// certificate of this client. Its errors quote nothing of the URL.
func parseURL(address string, timeout time.Duration) (*goredis.UniversalOptions, persistence.TLSFiles, error) {
	if !strings.HasPrefix(address, "redis://") && !strings.HasPrefix(address, "rediss://") {
		return nil, persistence.TLSFiles{}, errors.New("it does not begin with redis:// or rediss://")
	}
	u, err := url.Parse(address)
	if err != nil || !wellFormed(u, address) {
		return nil, persistence.TLSFiles{}, errMalformed
	}
	files, address := cutFiles(u)
	o, err := parseForm(u, address)
	if err != nil {
		return nil, files, err
	}
	if o.ReadOnly || o.RouteByLatency || o.RouteRandomly {
		return nil, files, errors.New("it enables reads from replicas, which may be stale: remove that parameter")
	}
	limit(o, timeout)
	return o, files, nil
}

// wellFormed reports whether no part of a password can have been taken for another part of the URL.
func wellFormed(u *url.URL, address string) bool {
	_, rest, _ := strings.Cut(address, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		path, query, _ := strings.Cut(rest[i:], "?")
		if strings.ContainsAny(path+query, "#") || strings.Contains(path, "@") {
			return false
		}
		for part := range strings.SplitSeq(query, "&") {
			name, value, _ := strings.Cut(part, "=")
			if strings.Contains(name, "@") || strings.Contains(value, "@") && name != "password" && name != "username" {
				return false
			}
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || !hostPort.MatchString(u.Host) || !database.MatchString(u.Path) {
		return false
	}
	for _, address := range query["addr"] {
		if !hostPort.MatchString(address) {
			return false
		}
	}
	return true
}

// parseForm parses the URL, whose text is address.
func parseForm(u *url.URL, address string) (*goredis.UniversalOptions, error) {
	query := u.Query()
	switch {
	case query.Has("master_name"):
		o, err := goredis.ParseFailoverURL(address)
		if err != nil || o.MasterName == "" {
			return nil, errMalformed
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
			return nil, errMalformed
		}
		if strings.Trim(u.Path, "/0") != "" {
			return nil, errors.New("it has a database, but a Redis Cluster has only database 0: remove it")
		}
		return &goredis.UniversalOptions{
			Addrs: o.Addrs, IsClusterMode: true, ClientName: o.ClientName,
			Username: o.Username, Password: o.Password, TLSConfig: o.TLSConfig,
			ReadOnly: o.ReadOnly, RouteByLatency: o.RouteByLatency, RouteRandomly: o.RouteRandomly,
		}, nil
	}
	o, err := goredis.ParseURL(address)
	if err != nil {
		return nil, errMalformed
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

// cutFiles returns the files that a URL names, and the URL without them.
func cutFiles(u *url.URL) (f persistence.TLSFiles, rest string) {
	query := u.Query()
	for name, file := range map[string]*string{"ca_file": &f.Authority, "cert_file": &f.Certificate, "key_file": &f.Key} {
		*file = query.Get(name)
		query.Del(name)
	}
	if f == (persistence.TLSFiles{}) {
		return f, u.String()
	}
	without := *u
	without.RawQuery = query.Encode()
	return f, without.String()
}
