package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

func trusting(network string) setting {
	return func(o *api.Options, _ *booking.HoldRules) {
		o.TrustedProxies = append(o.TrustedProxies, netip.MustParsePrefix(network))
	}
}

const search = "/train/get-trains/?source=Delhi&destination=Mumbai"

func TestEveryStatusMapsToACodeOfTheSameStatus(t *testing.T) {
	t.Parallel()
	for _, code := range api.Codes() {
		status := api.StatusOf(code)
		require.Equal(t, status, api.StatusOf(api.CodeOfStatus(status)), code)
		require.NotEmpty(t, http.StatusText(status), code)
	}
	require.Equal(t, booking.CodeInternal, api.CodeOfStatus(http.StatusTeapot))
	require.Equal(t, http.StatusInternalServerError, api.StatusOf("nonsense"))
}

func TestErrorsOfTheServiceGetTheStatusOfTheTable(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		err     error
		status  int
		code    booking.Code
		message string
		retry   string
		outcome any
	}{
		"storage full": {
			&booking.Error{
				Code: booking.CodeStorageFull, Message: "The storage is full",
				Outcome: booking.OutcomeNotExecuted, RetryAfter: 1500 * time.Millisecond,
			},
			503, booking.CodeStorageFull, "The storage is full", "2", "not_executed",
		},
		"unavailable": {
			booking.Unavailable(booking.OutcomeUnknown, 0, errors.New("secret cause")),
			503, booking.CodeUnavailable, "The service is unavailable, try again", "1", "unknown",
		},
		"wrapped": {
			fmt.Errorf("search: %w", booking.Unavailable(booking.OutcomeNotExecuted, time.Minute, nil)),
			503, booking.CodeUnavailable, "", "60", "not_executed",
		},
		"timeout":  {booking.Timeout(nil), 504, booking.CodeTimeout, "", "", "unknown"},
		"deadline": {fmt.Errorf("search: %w", context.DeadlineExceeded), 504, booking.CodeTimeout, "", "", "unknown"},
		"a bug":    {errors.New("secret cause"), 500, booking.CodeInternal, "Internal error", "", nil},
		"internal": {
			&booking.Error{Code: booking.CodeInternal, Message: "secret cause"},
			500, booking.CodeInternal, "Internal error", "", nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newTestServer(t, searchFails(func(context.Context) error { return row.err }))
			r := s.get(t, "", search)
			requireProblem(t, row.status, row.code, row.message, r)
			require.Equal(t, row.retry, r.header.Get("Retry-After"))
			require.Equal(t, row.outcome, r.field(t, "outcome"))
			require.NotContains(t, r.text, "secret cause")
			lines := s.log.requests(t, r.header.Get("X-Request-Id"))
			require.Len(t, lines, 1)
			require.Equal(t, string(row.code), lines[0]["code"])
			require.Contains(t, lines[0], "error")
		})
	}
}

func TestServerContinuesAfterAPanic(t *testing.T) {
	t.Parallel()
	first := true
	s := newTestServer(t, searchFails(func(context.Context) error {
		if first {
			first = false
			panic("secret cause")
		}
		return nil
	}))
	r := s.get(t, "", search)
	requireProblem(t, 500, booking.CodeInternal, "Internal error", r)
	require.NotContains(t, r.text, "secret cause")
	line := s.log.requests(t, r.header.Get("X-Request-Id"))[0]
	require.Equal(t, "ERROR", line["level"])
	require.Contains(t, line["stack"], "TestServerContinuesAfterAPanic")
	require.Equal(t, 200, s.get(t, "", search).status)
}

func TestRequestTimesOut(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(o *api.Options, _ *booking.HoldRules) { o.Timeout = time.Millisecond },
		searchFails(func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}))
	r := s.get(t, "", search)
	requireProblem(t, 504, booking.CodeTimeout, "", r)
}

func TestRequestOfADisconnectedClientIsExecuted(t *testing.T) {
	t.Parallel()
	called, disconnected := make(chan struct{}), make(chan struct{})
	s := newTestServer(t, searchFails(func(ctx context.Context) error {
		close(called)
		<-disconnected
		return ctx.Err()
	}))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+search, http.NoBody)
	require.NoError(t, err)
	r.Header.Set("X-Request-Id", "gone")
	go func() {
		<-called
		cancel()
	}()
	response, err := s.client.Do(r)
	if err == nil {
		require.NoError(t, response.Body.Close())
	}
	require.ErrorIs(t, err, context.Canceled)
	close(disconnected)
	require.Eventually(t, func() bool { return len(s.log.requests(t, "gone")) == 1 }, 5*time.Second, time.Millisecond)
	require.Contains(t, []any{"DEBUG", "INFO"}, s.log.requests(t, "gone")[0]["level"], "not an error of the server")
}
