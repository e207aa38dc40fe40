package cluster_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
)

func TestStatementsBelongToTheTraceOfTheirRequest(t *testing.T) {
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

func TestBookingIsOneTraceAcrossProcesses(t *testing.T) {
	t.Parallel()
	collector := processtest.StartCollector(t)
	c := newCluster(t, servers.Postgres(t), servers.Redis(t))
	c.environ = collector.Environ()
	c.startNodes(2)
	train := c.admin.AddTrain(t, 10)
	asha := processtest.SignUp(t, c.url, "asha")
	processes := map[int]int{}
	for i, n := range c.nodes {
		at := asha.At(n.URL)
		held := at.MustLock(t, http.StatusOK, train, i+1)
		at.MustConfirm(t, http.StatusOK, held.SeatID)
		trace, _ := n.TraceOf("/train/book-ticket/")
		spans := collector.AwaitTrace(t, trace, "POST /train/book-ticket/", "train hold", "write holds", "redis.pipeline zadd pexpire eval")
		calls := 0
		for _, s := range spans {
			if s.Name == "train hold" {
				calls++
			}
		}
		processes[calls]++
		trace, _ = n.TraceOf("/train/confirm-booking/")
		collector.AwaitTrace(t, trace, "POST /train/confirm-booking/", "train confirm", "write bookings", "book: WITH")
	}
	require.Equal(t, map[int]int{1: 1, 2: 1}, processes, "one process owns the train, the other calls it")
}
