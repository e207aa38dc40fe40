package cluster_test

import (
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

// Processes that advertise the IPv6 address of a pod, without brackets, call each other and serve
// clients over IPv6.
func TestProcessesWorkOverIPv6(t *testing.T) {
	t.Parallel()
	c := newCluster(t, servers.Postgres(t), servers.Redis(t), "--listen", "::1:0", "--metrics-listen", "[::1]:0")
	for range 2 {
		free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "[::1]:0")
		require.NoError(t, err)
		address := free.Addr().String()
		require.NoError(t, free.Close())
		n := c.start(strings.NewReplacer("[", "", "]", "").Replace(address))
		require.True(t, strings.HasPrefix(n.URL, "http://[::1]:"), n.URL)
		n.address = address
	}
	c.admin = processtest.CreateAdmin(t, c.url, "--database-url", c.database)
	user := processtest.SignUp(t, c.url, "asha")
	for _, train := range c.admin.AddTrains(t, 6, 10) {
		for i, n := range c.nodes {
			user.At(n.URL).MustLock(t, http.StatusOK, train.ID.String(), i+1)
		}
		require.NotNil(t, c.owner(train.ID))
	}
	checked := processtest.RunToEnd(t, processtest.Command(t, "healthcheck", "--listen", strings.TrimPrefix(c.nodes[0].URL, "http://")))
	require.Zero(t, checked.Code, checked.Err)
}
