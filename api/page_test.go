package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

func TestListsWaitForEachOtherAndNothingElseDoes(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "alice")
	train := s.train(t, "A", "B")
	end := s.server.EncodePages()
	for _, path := range []string{"/v1/trains", "/v1/bookings"} {
		r := s.get(t, token, path)
		requireProblem(t, 503, booking.CodeUnavailable, "", r)
		require.Equal(t, "not_executed", r.str(t, "outcome"))
		require.Equal(t, "1", r.header.Get("Retry-After"))
	}
	require.Equal(t, 200, s.get(t, "", "/v1/trains/"+train.String()).status)
	s.lock(t, token, train, "1")
	end()
	require.Equal(t, 200, s.get(t, "", "/v1/trains").status)
	require.Equal(t, 200, s.get(t, token, "/v1/bookings").status)
}
