package config

import (
	"net"
	"strconv"
	"strings"
)

// Redis is what the processes of a cluster share beside the database.
type Redis struct {
	RedisURL     string `name:"redis-url" placeholder:"URL" help:"The Redis that a cluster shares, redis://user:password@host:port. With --database-url, the service runs as a cluster."`
	RedisURLFile string `name:"redis-url-file" placeholder:"FILE" help:"A file with what --redis-url says, which keeps it from other users of the machine."`
}

// Given reports whether a Redis is named.
func (r *Redis) Given() bool { return r.RedisURL != "" || r.RedisURLFile != "" }

// Validate returns what is wrong with how the Redis is named, nil when nothing is.
func (r *Redis) Validate() Problems {
	var p Problems
	p.either("redis-url", r.RedisURL, r.RedisURLFile)
	return p
}

// Cluster is how the processes of a cluster find each other.
type Cluster struct {
	Redis

	Advertise      string `placeholder:"ADDRESS" help:"The host:port at which the other processes of a cluster reach this one; in a pod its IP and 8090."`
	ClusterListen  string `placeholder:"ADDRESS" help:"Where to listen for the other processes, when not at --advertise."`
	ClusterTLSCert string `name:"cluster-tls-cert" placeholder:"FILE" help:"This process's certificate among the processes of a cluster, PEM."`
	ClusterTLSKey  string `name:"cluster-tls-key" placeholder:"FILE" help:"The key of --cluster-tls-cert, PEM."`
	ClusterTLSCA   string `name:"cluster-tls-ca" placeholder:"FILE" help:"Who signs the certificates of the other processes, PEM."`
}

// Clustered reports whether valid settings ask for a cluster; otherwise the process is
// alone, on its data directory.
func (c *Config) Clustered() bool { return c.Database() && c.Given() }

// PeerListen returns where to listen for the other processes.
func (c *Cluster) PeerListen() string {
	if c.ClusterListen != "" {
		return c.ClusterListen
	}
	return c.Advertise
}

// clustered adds what is wrong with the mode that the settings ask for. There are two:
// neither URL, or both.
func (p *Problems) clustered(c *Config) {
	switch database, redis := c.Database(), c.Given(); {
	case !database && !redis:
		p.alone(c)
		return
	case !redis:
		p.add("--database-url is set and --redis-url is not; set both to run as a cluster, or neither to run alone on --data-dir")
	case !database:
		p.add("--redis-url is set and --database-url is not; set both to run as a cluster, or neither to run alone on --data-dir")
	}
	if c.Advertise == "" {
		p.add("--advertise is not set; a cluster needs it: set it to the host:port at which the others reach this process, such as 10.0.0.7:8090")
	} else if !dialable(c.Advertise) {
		p.add("--advertise %q is no address to reach a process at; set it to host:port, such as 10.0.0.7:8090", c.Advertise)
	}
	if c.ClusterListen != "" {
		p.address("cluster-listen", c.ClusterListen)
	}
	if c.JWTSecretFile == "" {
		p.add("--jwt-secret-file is not set; a cluster needs it: set it to a file with one secret for all processes, made with openssl rand -base64 48")
	}
	p.tls(c)
}

// alone refuses what has no meaning for a process that is alone.
func (p *Problems) alone(c *Config) {
	for _, s := range []struct{ name, value string }{
		{"advertise", c.Advertise},
		{"cluster-listen", c.ClusterListen},
		{"cluster-tls-cert", c.ClusterTLSCert},
		{"cluster-tls-key", c.ClusterTLSKey},
		{"cluster-tls-ca", c.ClusterTLSCA},
	} {
		if s.value != "" {
			p.add("--%s is for a cluster, and there is none; set --database-url and --redis-url too, or do not set it", s.name)
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
		p.add("%s set without %s; set all three, or none", strings.Join(set, " and "), strings.Join(missing, " and "))
	}
}

// dialable reports whether others can reach address, as far as it can be told from it.
func dialable(address string) bool {
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
