package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/booking/bookingtest"
)

func TestClientImplementsService(t *testing.T) {
	t.Parallel()
	bookingtest.Exercise(t, func(t *testing.T, rules booking.HoldRules) booking.Service {
		t.Helper()
		return newTestServer(t, rules, nil).open(t)
	})
}

func TestURLIsValidated(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"http://localhost:8080", "https://example.org/rail/", "http://[::1]:8080/"} {
		_, err := client.New(client.Options{URL: good})
		require.NoError(t, err, good)
	}
	for _, bad := range []string{
		"", "localhost:8080", "example.org", "/rail", "ftp://example.org", "http://", "http://a:b@example.org",
		"http://example.org?x=1", "http://example.org/#x", "http://exa mple.org",
	} {
		_, err := client.New(client.Options{URL: bad})
		require.Error(t, err, bad)
	}
}

func TestURLMayHaveAPrefix(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, rules(), nil)
	proxy := httptest.NewServer(http.StripPrefix("/rail/api", s.handler))
	t.Cleanup(proxy.Close)
	c := s.open(t, func(o *client.Options) { o.URL = proxy.URL + "/rail/api/" })
	train, user := create(t, c), uuid.New()
	hold, err := c.Hold(t.Context(), booking.HoldRequest{Train: train.ID, User: user, Seats: []int{1}})
	require.NoError(t, err)
	_, err = c.Confirm(t.Context(), booking.HoldRef{Train: train.ID, User: user, Hold: hold.ID})
	require.NoError(t, err)
	found, err := c.Search(t.Context(), "A", "C", time.Time{})
	require.NoError(t, err)
	require.Len(t, found.Trains, 1)
}

func TestServiceTokenMayChangeTrains(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, rules(), nil)
	c := s.open(t, func(o *client.Options) { o.Token = client.FixedToken(serviceToken) })
	train := draft()
	_, created, err := c.PutTrain(t.Context(), train)
	require.NoError(t, err)
	require.True(t, created)
	_, err = c.FindTrain(t.Context(), train.ID)
	require.NoError(t, err)
	require.NoError(t, c.DeleteTrain(t.Context(), train.ID, true))

	_, err = c.Hold(t.Context(), booking.HoldRequest{Train: train.ID, User: uuid.New(), Seats: []int{1}})
	require.Equal(t, booking.CodeForbidden, booking.CodeOf(err))
	anonymous := s.open(t, func(o *client.Options) { o.Token = nil })
	_, _, err = anonymous.PutTrain(t.Context(), train)
	require.Equal(t, booking.CodeUnauthenticated, booking.CodeOf(err))
}

func TestTrainsFetchesPagesOnDemand(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, rules(), nil)
	requests := 0
	c := s.open(t, func(o *client.Options) {
		o.OnCall = func(call client.Call) func(client.Result) {
			if call.Operation == "ListTrains" {
				requests++
			}
			return func(client.Result) {}
		}
	})
	var all, found []booking.TrainID
	for range 5 {
		all = append(all, create(t, c).ID)
	}
	query := booking.TrainQuery{Page: booking.PageRequest{Limit: 2}}
	trains := c.Trains(t.Context(), query)
	for a, err := range trains {
		require.NoError(t, err)
		require.Equal(t, booking.Tally{Available: 10}, a.Tally)
		found = append(found, a.Train.ID)
	}
	require.Equal(t, all, found)
	require.Equal(t, 3, requests)
	for _, err := range trains {
		require.NoError(t, err)
		break
	}
	require.Equal(t, 4, requests, "no more pages after break")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var failures []error
	for _, err := range c.Trains(ctx, query) {
		failures = append(failures, err)
	}
	require.Len(t, failures, 1)
	require.ErrorIs(t, failures[0], context.Canceled)
}

func TestListWithoutALimitOrWithALargeOneIsComplete(t *testing.T) {
	t.Parallel()
	const length = booking.MaxPageLimit + 2
	s := newTestServer(t, rules(), func(booking.Service) booking.Service { return longList{length: length} })
	c := s.open(t)
	for limit, want := range map[int]int{
		0: length, 1: 1, booking.MaxPageLimit: booking.MaxPageLimit, booking.MaxPageLimit + 1: booking.MaxPageLimit + 1,
		length: length, length + 1: length, 5 * length: length,
	} {
		page, err := c.ListTrains(t.Context(), booking.TrainQuery{Page: booking.PageRequest{Limit: limit}})
		require.NoError(t, err)
		require.Len(t, page.Items, want, limit)
		require.Equal(t, want == length, page.Next.IsZero(), limit)
		require.True(t, slices.IsSortedFunc(page.Items, func(a, b booking.Availability) int {
			return a.Train.CreatedAt.Compare(b.Train.CreatedAt)
		}))
	}
}

// longList is a service with length trains, created one second apart since the epoch.
type longList struct {
	booking.Service
	length int
}

func (l longList) ListTrains(_ context.Context, query booking.TrainQuery) (booking.Page[booking.Availability], error) {
	var items []booking.Availability
	first := 1
	if !query.Page.After.IsZero() {
		first = int(query.Page.After.At.Unix()) + 1
	}
	for n := first; n <= l.length && n <= first+query.Page.Limit; n++ {
		train := draft()
		train.CreatedAt = time.Unix(int64(n), 0)
		items = append(items, booking.Availability{Train: &train})
	}
	return booking.PageOf(items, query.Page.Limit, func(a booking.Availability) booking.Cursor {
		return booking.Cursor{At: a.Train.CreatedAt, ID: uuid.UUID(a.Train.ID)}
	}), nil
}

// partOfList is a service that cannot read all trains.
type partOfList struct{ longList }

func (l partOfList) ListTrains(ctx context.Context, query booking.TrainQuery) (booking.Page[booking.Availability], error) {
	page, err := l.longList.ListTrains(ctx, query)
	page.Incomplete = true
	return page, err
}

// To those who iterate, such as the operator, a missing train would look deleted.
func TestIncompleteListIsAnErrorForAnIteration(t *testing.T) {
	t.Parallel()
	c := newTestServer(t, rules(), func(real booking.Service) booking.Service { return partOfList{longList{real, 3}} }).open(t)
	page, err := c.ListTrains(t.Context(), booking.TrainQuery{})
	require.NoError(t, err)
	require.Len(t, page.Items, 3)
	require.True(t, page.Incomplete)
	for _, err := range c.Trains(t.Context(), booking.TrainQuery{}) {
		require.Equal(t, booking.CodeUnavailable, booking.CodeOf(err), "%v", err)
	}
}

func TestInvalidHoldRefsAreRejected(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, rules(), nil)
	c := s.open(t)
	train, other, user := create(t, c), create(t, c), uuid.New()
	hold, err := c.Hold(t.Context(), booking.HoldRequest{Train: train.ID, User: user, Seats: []int{1}})
	require.NoError(t, err)
	for name, row := range map[string]struct {
		ref  booking.HoldRef
		code booking.Code
	}{
		"nothing":          {booking.HoldRef{User: user, Train: train.ID}, booking.CodeSeatNotLocked},
		"seat -1":          {booking.HoldRef{User: user, Train: train.ID, Seat: -1}, booking.CodeNotFound},
		"seat 65537":       {booking.HoldRef{User: user, Train: train.ID, Seat: 65537}, booking.CodeNotFound},
		"another's hold":   {booking.HoldRef{User: user, Train: other.ID, Hold: hold.ID}, booking.CodeSeatNotLocked},
		"hold, seat, both": {booking.HoldRef{User: user, Train: other.ID, Hold: hold.ID, Seat: 1}, booking.CodeSeatNotLocked},
	} {
		_, err := c.Confirm(t.Context(), row.ref)
		require.Equal(t, row.code, booking.CodeOf(err), name)
		require.Equal(t, row.code, booking.CodeOf(c.Release(t.Context(), row.ref)), name)
	}
}

func TestRequestHeaders(t *testing.T) {
	t.Parallel()
	var got *http.Request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(server.Close)
	c := open(t, func(o *client.Options) { o.URL, o.Token = server.URL, client.FixedToken("secret") })
	train := draft()
	_, _ = c.FindTrain(t.Context(), train.ID)
	require.Equal(t, client.DefaultUserAgent, got.UserAgent())
	require.Empty(t, got.Header.Values("Authorization"), "the request needs no token")
	require.Empty(t, got.Header.Values("Content-Type"))

	wanted := booking.HoldRequest{ID: booking.NewHoldID(train.ID), Train: train.ID, User: uuid.New(), Seats: []int{1}}
	_, _ = c.Hold(t.Context(), wanted)
	require.Equal(t, []string{"Bearer secret"}, got.Header.Values("Authorization"))
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Empty(t, got.Header.Values("Idempotency-Key"), "a hold of named seats is idempotent without")
	wanted.Seats, wanted.Count = nil, 2
	_, _ = c.Hold(t.Context(), wanted)
	require.Equal(t, wanted.ID.String(), got.Header.Get("Idempotency-Key"))
	wanted.ID = booking.HoldID{}
	_, _ = c.Hold(t.Context(), wanted)
	require.Len(t, got.Header.Get("Idempotency-Key"), 36)
	_, _ = c.CreateTrain(t.Context(), train)
	require.Empty(t, got.Header.Values("Idempotency-Key"), "its id makes it idempotent")
	train.ID = booking.TrainID{}
	_, _ = c.CreateTrain(t.Context(), train)
	require.Len(t, got.Header.Get("Idempotency-Key"), 36)

	named := open(t, func(o *client.Options) { o.URL, o.UserAgent = server.URL, "operator/1" })
	_, _ = named.FindTrain(t.Context(), train.ID)
	require.Equal(t, "operator/1", got.UserAgent())
}

func TestOnCallRunsBeforeTheRequestAndAfterTheResponse(t *testing.T) {
	t.Parallel()
	var events []string
	record := func(event string) { events = append(events, event) }
	s := newTestServer(t, rules(), nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		record("execute")
		s.handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c := s.open(t, func(o *client.Options) {
		o.URL = server.URL
		o.OnCall = func(call client.Call) func(client.Result) {
			record("call " + call.Operation + " " + call.Method)
			require.True(t, strings.HasPrefix(call.URL, server.URL))
			return func(got client.Result) {
				record("return " + http.StatusText(got.Status) + " " + string(booking.CodeOf(got.Err)))
			}
		}
	})
	train := create(t, c)
	_, err := c.CreateTrain(t.Context(), train)
	require.Equal(t, booking.CodeAlreadyExists, booking.CodeOf(err))
	require.Equal(t, []string{
		"call CreateTrain POST", "execute", "return Created ",
		"call CreateTrain POST", "execute", "return Conflict already_exists",
	}, events)
}
