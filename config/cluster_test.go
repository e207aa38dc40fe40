package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/config"
)

// clustered returns the minimum settings of a cluster.
func clustered() config.Config {
	c := config.Default()
	c.DatabaseURL, c.RedisURL = "postgres://db/trainbooking", "redis://cache:6379"
	c.Advertise, c.JWTSecretFile = "10.0.0.7:8090", "/run/secrets/jwt"
	return c
}

func TestServiceIsClusteredWithBothURLs(t *testing.T) {
	t.Parallel()
	c := config.Default()
	require.False(t, c.Clustered())

	c = clustered()
	c.DataDir = "" // not used
	require.Empty(t, c.Validate())
	require.True(t, c.Clustered())
	require.Equal(t, "10.0.0.7:8090", c.PeerListen())

	c.DatabaseURL, c.DatabaseURLFile = "", "/run/secrets/database"
	c.RedisURL, c.RedisURLFile = "", "/run/secrets/redis"
	c.ClusterListen = ":8090"
	c.ClusterTLSCert, c.ClusterTLSKey, c.ClusterTLSCA = "tls.crt", "tls.key", "ca.crt"
	require.Empty(t, c.Validate())
	require.True(t, c.Clustered())
	require.Equal(t, ":8090", c.PeerListen())
}

func TestEachRuleOfAClusterSaysWhatToSet(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(*config.Config){
		"--database-url is set and --redis-url is not; set both to run as a cluster, or neither to run alone on --data-dir": func(c *config.Config) {
			c.RedisURL = ""
		},
		"--redis-url is set and --database-url is not; set both to run as a cluster, or neither to run alone on --data-dir": func(c *config.Config) {
			c.DatabaseURL = ""
		},
		"--database-url and --database-url-file are both set; set one of them": func(c *config.Config) { c.DatabaseURLFile = "x" },
		"--migrate-url and --migrate-url-file are both set; set one of them":   func(c *config.Config) { c.MigrateURL, c.MigrateURLFile = "x", "x" },
		"--redis-url and --redis-url-file are both set; set one of them":       func(c *config.Config) { c.RedisURLFile = "x" },
		"--advertise is not set; a cluster needs it: set it to the host:port at which the other processes reach this one, such as 10.0.0.7:8090": func(c *config.Config) {
			c.Advertise = ""
		},
		`--advertise ":8090" is not a reachable address; set it to host:port, such as 10.0.0.7:8090`:    func(c *config.Config) { c.Advertise = ":8090" },
		`--advertise "[::]:80" is not a reachable address; set it to host:port, such as 10.0.0.7:8090`:  func(c *config.Config) { c.Advertise = "[::]:80" },
		`--advertise "node-1" is not a reachable address; set it to host:port, such as 10.0.0.7:8090`:   func(c *config.Config) { c.Advertise = "node-1" },
		`--advertise "node-1:0" is not a reachable address; set it to host:port, such as 10.0.0.7:8090`: func(c *config.Config) { c.Advertise = "node-1:0" },
		`--cluster-listen "8090" is not an address; set it to host:port or :port, such as :8080`:        func(c *config.Config) { c.ClusterListen = "8090" },
		"--jwt-secret-file is not set; a cluster needs it: set it to a file with the same secret for all processes, made with openssl rand -base64 48": func(c *config.Config) {
			c.JWTSecretFile = ""
		},
		"--cluster-tls-cert and --cluster-tls-key set without --cluster-tls-ca; set all three or none": func(c *config.Config) {
			c.ClusterTLSCert, c.ClusterTLSKey = "x", "x"
		},
		"--cluster-tls-ca set without --cluster-tls-cert and --cluster-tls-key; set all three or none": func(c *config.Config) { c.ClusterTLSCA = "x" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			c := clustered()
			change(&c)
			require.Equal(t, config.Problems{want}, c.Validate())
		})
	}
}

func TestSettingsOfAClusterAreRejectedWithoutOne(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Advertise, c.ClusterListen = "10.0.0.7:8090", ":8090"
	c.ClusterTLSCert, c.ClusterTLSKey, c.ClusterTLSCA = "x", "x", "x"
	problems := c.Validate()
	require.Len(t, problems, 5)
	require.Equal(t, "--advertise is only for a cluster; set --database-url and --redis-url too, or do not set it", problems[0])

	c = config.Default()
	c.MigrateURL = "postgres://db/trainbooking"
	require.Equal(t, config.Problems{
		"--migrate-url is set without --database-url; set both to the same database",
	}, c.Validate())
}

func TestProblemsContainNoSecret(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.DatabaseURL, c.DatabaseURLFile = "postgres://u:hunter2@db/t", "x"
	c.MigrateURL, c.MigrateURLFile = c.DatabaseURL, "x"
	require.NotEmpty(t, c.Validate())
	require.NotContains(t, c.Validate().Error(), "hunter2")
}
