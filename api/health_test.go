package api_test

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

func TestReadinessNamesReasonsWithoutTheirErrors(t *testing.T) {
	t.Parallel()
	var health atomic.Pointer[api.Health]
	health.Store(&api.Health{})
	s := newTestServer(t, func(o *api.Options, _ *booking.HoldRules) { o.Health = func() api.Health { return *health.Load() } })
	require.JSONEq(t, `{"status":"ok"}`, s.get(t, "", "/healthz").text)
	require.JSONEq(t, `{"status":"ok"}`, s.get(t, "", "/readyz").text)

	cause := errors.New("secret cause")
	health.Store(&api.Health{Dependencies: map[string]error{"store": cause, "cluster": nil}})
	r := s.get(t, "", "/readyz")
	require.Equal(t, 200, r.status, "it can serve from memory, and refuse what it cannot execute")
	require.JSONEq(t, `{"status":"ok","dependencies":{"store":"unavailable","cluster":"ok"}}`, r.text)

	health.Store(&api.Health{Dependencies: map[string]error{"store": cause}, NotReady: map[string]error{"store": cause}})
	s.server.SetDraining()
	r = s.get(t, "", "/readyz")
	require.Equal(t, 503, r.status)
	require.JSONEq(t, `{"status":"unavailable","not_ready":["draining","store"],"dependencies":{"store":"unavailable"}}`, r.text)
	require.Contains(t, s.log.String(), "secret cause")
	require.Equal(t, 200, s.get(t, "", "/healthz").status)
	require.Equal(t, 200, s.get(t, "", "/v1/trains").status, "a draining server still serves")
}

func TestServerNeedsItsOptions(t *testing.T) {
	t.Parallel()
	_, err := api.New(api.Options{})
	require.ErrorContains(t, err, "Service, Accounts, Users and Replies")

	s := newTestServer(t)
	_, err = api.New(api.Options{Service: s.trains, Accounts: s.accounts, Users: s.db, Replies: s.db, Registry: s.registry})
	require.ErrorContains(t, err, "metrics")
	_, err = api.New(api.Options{Service: s.trains, Accounts: s.accounts, Users: s.db, Replies: s.db})
	require.NoError(t, err)
}
