package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/config"
)

func TestAddressOfIPv6NeedsNoBrackets(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"fd00::5:8090":              "[fd00::5]:8090",
		"[fd00::5]:8090":            "[fd00::5]:8090",
		"::1:8090":                  "[::1]:8090",
		":::8090":                   "[::]:8090",
		"2001:db8:1:2:3:4:5:6:8090": "[2001:db8:1:2:3:4:5:6]:8090",
		"fe80::1%eth0:8090":         "[fe80::1%eth0]:8090",
		"::ffff:10.0.0.7:8090":      "[::ffff:10.0.0.7]:8090",
		"10.0.0.7:8090":             "10.0.0.7:8090",
		"node-1:8090":               "node-1:8090",
		":8090":                     ":8090",
		"fd00::5":                   "fd00::5",
		"2001:db8:1:2:3:4:5:6":      "2001:db8:1:2:3:4:5:6",
		"fd00::5:99999":             "fd00::5:99999",
		"fd00::5:port":              "fd00::5:port",
		"":                          "",
	} {
		for _, flag := range []string{"--advertise", "--listen", "--metrics-listen", "--cluster-listen"} {
			c, sources := parse(t, nil, flag, given)
			require.Empty(t, sources.Problems())
			require.Contains(t, []string{c.Advertise, c.Listen, c.MetricsListen, c.ClusterListen}, want, flag)
		}
		c, _ := parse(t, []string{"TRAINBOOKING_ADVERTISE=" + given})
		require.Equal(t, want, c.Advertise)
	}
}

func TestProblemOfAnIPv6AddressSaysExactlyWhatToSet(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"fd00::5", "[fd00::5]"} {
		c := clustered()
		c.Advertise, c.Listen = address, address
		require.Equal(t, config.Problems{
			`--listen "` + address + `" is not an address; set it to host:port or :port, such as [fd00::5]:8080`,
			`--advertise "` + address + `" is not a reachable address; set it to host:port, such as [fd00::5]:8090`,
		}, c.Validate())
	}
}
