package cluster_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/test/processtest"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

// Postgres is silent for all processes. They stay ready, because no other process could do more,
// show active trains from memory, and refuse the rest themselves.
func TestProcessesStayReadyWhilePostgresIsSilent(t *testing.T) {
	t.Parallel()
	database, err := url.Parse(servers.Postgres(t))
	require.NoError(t, err)
	link := processtest.NewLink(t, "unix", filepath.Join(database.Query().Get("host"), ".s.PGSQL.5432"))
	database.Host, database.RawQuery = link.Address, "sslmode=disable"
	c := newCluster(t, database.String(), servers.Redis(t))
	c.startNodes(2)
	trains := c.admin.AddTrains(t, 4, 10)
	asha := traffic.New(traffic.Options{Service: c.service, Trains: trains}).Client(-1, uuid.New())
	held := c.hold(asha, trains, 1)
	for _, n := range c.nodes {
		require.Equal(t, health{200, "ok"}, n.health(t))
	}

	link.Cut()
	for _, n := range c.nodes {
		await(t, timeout, func() bool {
			found := n.health(t)
			require.Equal(t, 200, found.status)
			return found.store == "unavailable"
		}, "the process reports that it cannot reach Postgres")
		for _, train := range trains {
			seats, err := c.serviceAt(n.URL).SeatMap(t.Context(), train.ID, "", "")
			require.NoError(t, err)
			require.Equal(t, booking.SeatHeld, seats[0].State)
		}
		require.InDelta(t, 0, n.metric(t, `trainbooking_dependency_up{dependency="store"}`), 0)
	}
	_, err = c.service.Confirm(t.Context(), booking.HoldRef{User: asha.User, Train: trains[0].ID, Hold: held[trains[0].ID].Hold})
	refused, ok := errors.AsType[*booking.Error](err)
	require.True(t, ok, "%v", err)
	require.NotEmpty(t, refused.Outcome, "%v", err)

	link.Restore()
	for _, train := range trains {
		requireResult(t, history.Done, asha.Confirm(t.Context(), held[train.ID]))
	}
	c.requireAllRunning()
}

// health is the response of /readyz.
type health struct {
	status int
	store  string
}

func (n *node) health(t *testing.T) health {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URL+"/readyz", http.NoBody)
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var body struct{ Dependencies map[string]string }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&body))
	return health{response.StatusCode, body.Dependencies["store"]}
}
