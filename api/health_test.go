package api_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

func TestReadinessNamesFailedChecksWithoutTheirErrors(t *testing.T) {
	t.Parallel()
	checks, calls := map[string]error{"store": nil}, 0
	var passed atomic.Int64 // of time, in milliseconds
	start := time.Now()
	s := newTestServer(t, func(o *api.Options, _ *booking.HoldRules) {
		o.Ready = func(context.Context) map[string]error {
			calls++
			passed.Add(900) // slow checks, whose result is cached too
			return checks
		}
		o.Now = func() time.Time { return start.Add(time.Duration(passed.Load()) * time.Millisecond) }
	})
	require.JSONEq(t, `{"status":"ok"}`, s.get(t, "", "/healthz").text)
	require.JSONEq(t, `{"status":"ok"}`, s.get(t, "", "/readyz").text)

	passed.Add(400)
	require.JSONEq(t, `{"status":"ok"}`, s.get(t, "", "/readyz").text)
	require.Equal(t, 1, calls, "the result is cached")

	passed.Add(100)
	checks = map[string]error{"store": errors.New("secret cause"), "cluster": nil}
	s.server.SetDraining()
	r := s.get(t, "", "/readyz")
	require.Equal(t, 503, r.status)
	require.JSONEq(t, `{"status":"unavailable","not_ready":["draining","store"]}`, r.text)
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
