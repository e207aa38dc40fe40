package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/config"
)

// clustered returns the least that a cluster is asked for with.
func clustered() config.Config {
	c := config.Default()
	c.DatabaseURL, c.RedisURL = "postgres://db/trainbooking", "redis://cache:6379"
	c.Advertise, c.JWTSecretFile = "10.0.0.7:8090", "/run/secrets/jwt"
	return c
}

func TestBothURLsAreAClusterAndNeitherIsNone(t *testing.T) {
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
		"--advertise is not set; a cluster needs it: set it to the host:port at which the others reach this process, such as 10.0.0.7:8090": func(c *config.Config) {
			c.Advertise = ""
		},
		`--advertise ":8090" is no address to reach a process at; set it to host:port, such as 10.0.0.7:8090`:    func(c *config.Config) { c.Advertise = ":8090" },
		`--advertise "[::]:80" is no address to reach a process at; set it to host:port, such as 10.0.0.7:8090`:  func(c *config.Config) { c.Advertise = "[::]:80" },
		`--advertise "node-1" is no address to reach a process at; set it to host:port, such as 10.0.0.7:8090`:   func(c *config.Config) { c.Advertise = "node-1" },
		`--advertise "node-1:0" is no address to reach a process at; set it to host:port, such as 10.0.0.7:8090`: func(c *config.Config) { c.Advertise = "node-1:0" },
		`--cluster-listen "8090" is not an address; set it to host:port or :port, such as :8080`:                 func(c *config.Config) { c.ClusterListen = "8090" },
		"--jwt-secret-file is not set; a cluster needs it: set it to a file with one secret for all processes, made with openssl rand -base64 48": func(c *config.Config) {
			c.JWTSecretFile = ""
		},
		"--cluster-tls-cert and --cluster-tls-key set without --cluster-tls-ca; set all three, or none": func(c *config.Config) {
			c.ClusterTLSCert, c.ClusterTLSKey = "x", "x"
		},
		"--cluster-tls-ca set without --cluster-tls-cert and --cluster-tls-key; set all three, or none": func(c *config.Config) { c.ClusterTLSCA = "x" },
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			c := clustered()
			change(&c)
			require.Equal(t, config.Problems{want}, c.Validate())
		})
	}
}

func TestWhatIsForAClusterIsRefusedWithoutOne(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.Advertise, c.ClusterListen = "10.0.0.7:8090", ":8090"
	c.ClusterTLSCert, c.ClusterTLSKey, c.ClusterTLSCA = "x", "x", "x"
	problems := c.Validate()
	require.Len(t, problems, 5)
	require.Equal(t, "--advertise is for a cluster, and there is none; "+
		"set --database-url and --redis-url too, or do not set it", problems[0])

	c = config.Default()
	c.MigrateURL = "postgres://db/trainbooking"
	require.Equal(t, config.Problems{
		"--migrate-url leads to the database of --database-url, which is not set; set that too",
	}, c.Validate())
}

func TestNoProblemShowsASecret(t *testing.T) {
	t.Parallel()
	c := config.Default()
	c.DatabaseURL, c.DatabaseURLFile = "postgres://u:hunter2@db/t", "x"
	c.MigrateURL, c.MigrateURLFile = c.DatabaseURL, "x"
	require.NotEmpty(t, c.Validate())
	require.NotContains(t, c.Validate().Error(), "hunter2")
}
