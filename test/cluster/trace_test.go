package cluster_test

import (
	"net/http"
	"testing"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

func TestStatementsAreOfTheTraceOfTheirRequest(t *testing.T) {
	t.Parallel()
	collector := processtest.StartCollector(t)
	c := newCluster(t, servers.Postgres(t), servers.Redis(t))
	c.environ = collector.Environ()
	c.startNodes(1)
	asha := processtest.SignUp(t, c.url, "asha")
	asha.Must(t, http.StatusOK, "GET", "/train/view-bookings/", nil)
	trace, _ := c.nodes[0].TraceOf("/train/view-bookings/")
	collector.AwaitTrace(t, trace, "GET /train/view-bookings/", "pool.acquire", "user bookings: SELECT")
}
