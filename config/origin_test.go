package config_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/config"
)

func TestOriginsAreThoseThatBrowsersSend(t *testing.T) {
	t.Parallel()
	c := config.Default()
	none, wrong := c.Origins()
	require.Empty(t, wrong)
	require.Empty(t, none)
	c.CORSOrigins = "https://a.example, http://localhost:3000,https://[fd00::5]:8443"
	require.Empty(t, c.Validate())
	origins, _ := c.Origins()
	require.Equal(t, []string{"https://a.example", "http://localhost:3000", "https://[fd00::5]:8443"}, origins)
	for _, origin := range []string{
		"*", "https://*.a.example", "null", "a.example", "https://a.example/", "https://a.example/path", "https://A.example",
		"https://a.example:443", "http://a.example:80", "https://user@a.example", "https://a.example?x", "ftp://a.example", "https://", "https://ä.example", "https://a.example:", "https://a?.example",
	} {
		c.CORSOrigins = "https://a.example," + origin
		require.Equal(t, config.Problems{
			`--cors-origins has "` + origin + `", which browsers never send as an origin; write each as they do, such as https://a.example or http://localhost:3000`,
		}, c.Validate())
	}
}
