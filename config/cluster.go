package config

import (
	"net"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// Redis has the settings of the Redis that the processes of a cluster share.
type Redis struct {
	RedisURL     string
	RedisURLFile string
	RedisTLS     TLSFiles
}

// AddFlags adds the flags of Redis.
func (r *Redis) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&r.RedisURL, "redis-url", "", "`URL` of the Redis that a cluster shares, redis://user:password@host:port; rediss:// for TLS, ?addr= for a Redis Cluster, ?master_name= for Sentinels. With --database-url, the service runs as a cluster.")
	f.StringVar(&r.RedisURLFile, "redis-url-file", "", "`FILE` with the value of --redis-url, which keeps the password out of the process list.")
	r.RedisTLS.addFlags(f, "redis", "Redis")
}

// HasRedis reports whether a Redis is set.
func (r *Redis) HasRedis() bool { return r.RedisURL != "" || r.RedisURLFile != "" }

// Validate returns all problems of the Redis settings.
func (r *Redis) Validate() Problems {
	var p Problems
	p.exclusive("redis-url", r.RedisURL, r.RedisURLFile)
	p.tlsFiles(r.RedisTLS, "redis", r.HasRedis())
	return p
}

// Cluster has the settings of a cluster.
type Cluster struct {
	Redis

	Advertise      string
	ClusterListen  string
	ClusterTLSCert string
	ClusterTLSKey  string
	ClusterTLSCA   string
}

// AddFlags adds the flags of a cluster.
func (c *Cluster) AddFlags(f *pflag.FlagSet) {
	c.Redis.AddFlags(f)
	c.Advertise, c.ClusterListen = "", ""
	f.Var((*address)(&c.Advertise), "advertise", "`ADDRESS` (host:port) at which the other processes of a cluster reach this one. In a pod: its IP and port 8090.")
	f.Var((*address)(&c.ClusterListen), "cluster-listen", "`ADDRESS` to listen on for the other processes, if different from --advertise.")
	f.StringVar(&c.ClusterTLSCert, "cluster-tls-cert", "", "`FILE` with the certificate of this process for connections within a cluster, PEM.")
	f.StringVar(&c.ClusterTLSKey, "cluster-tls-key", "", "`FILE` with the private key of --cluster-tls-cert, PEM.")
	f.StringVar(&c.ClusterTLSCA, "cluster-tls-ca", "", "`FILE` with the certificate authority of the other processes, PEM.")
}

// Clustered reports whether the process runs in a cluster. Otherwise it runs embedded, with
// a data directory. The settings must be valid.
func (c *Config) Clustered() bool { return c.HasDatabase() && c.HasRedis() }

// PeerListen returns the address to listen on for the other processes.
func (c *Cluster) PeerListen() string {
	if c.ClusterListen != "" {
		return c.ClusterListen
	}
	return c.Advertise
}

// mode validates the settings of the mode: clustered with both URLs, embedded without them.
func (p *Problems) mode(c *Config) {
	switch database, redis := c.HasDatabase(), c.HasRedis(); {
	case !database && !redis:
		p.embedded(c)
		return
	case !redis:
		p.add("--database-url is set and --redis-url is not; set both to run as a cluster, or neither to run embedded with --data-dir")
	case !database:
		p.add("--redis-url is set and --database-url is not; set both to run as a cluster, or neither to run embedded with --data-dir")
	}
	if c.Advertise == "" {
		p.add("--advertise is not set; a cluster needs it: set it to the host:port at which the other processes reach this one, such as 10.0.0.7:8090")
	} else if !reachable(c.Advertise) {
		p.add("--advertise %q is not a reachable address; set it to host:port, such as %s", c.Advertise, example(c.Advertise, "10.0.0.7:8090"))
	}
	if c.ClusterListen != "" {
		p.address("cluster-listen", c.ClusterListen)
	}
	if c.JWTSecretFile == "" {
		p.add("--jwt-secret-file is not set; a cluster needs it: set it to a file with the same secret for all processes, made with openssl rand -base64 48")
	}
	p.tls(c)
}

// embedded rejects the settings of a cluster.
func (p *Problems) embedded(c *Config) {
	for _, s := range []struct{ name, value string }{
		{"advertise", c.Advertise},
		{"cluster-listen", c.ClusterListen},
		{"cluster-tls-cert", c.ClusterTLSCert},
		{"cluster-tls-key", c.ClusterTLSKey},
		{"cluster-tls-ca", c.ClusterTLSCA},
	} {
		if s.value != "" {
			p.add("--%s is only for a cluster; set --database-url and --redis-url too, or do not set it", s.name)
		}
	}
}

func (p *Problems) tls(c *Config) {
	var set, missing []string
	for _, s := range []struct{ name, value string }{
		{"--cluster-tls-cert", c.ClusterTLSCert}, {"--cluster-tls-key", c.ClusterTLSKey}, {"--cluster-tls-ca", c.ClusterTLSCA},
	} {
		if s.value != "" {
			set = append(set, s.name)
		} else {
			missing = append(missing, s.name)
		}
	}
	if len(set) > 0 && len(missing) > 0 {
		p.add("%s set without %s; set all three or none", strings.Join(set, " and "), strings.Join(missing, " and "))
	}
}

// reachable reports whether address has a host and a port that others can connect to.
func reachable(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" {
		return false
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}
