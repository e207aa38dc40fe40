package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

const duranto = `{"train_name":"Duranto","source":"Jaipur","destination":"Mumbai","train_capacity":10}`

func key(value string) http.Header { return http.Header{"Idempotency-Key": {value}} }

func TestKeyReplaysTheFirstReply(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	admin, user := s.admin(t), s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	for _, in := range []request{
		{path: "/train/add-train", token: admin, body: duranto},
		{path: "/v1/trains", token: serviceToken, body: shatabdi},
		{path: "/v1/holds", token: user, body: `{"train_id":"` + id.String() + `","count":2}`},
	} {
		in.method, in.header = "POST", key("once")
		first, second := s.do(t, in), s.do(t, in)
		require.Equal(t, first.status, second.status)
		require.Equal(t, first.text, second.text)
		for _, name := range []string{"Location", "Content-Type"} {
			require.Equal(t, first.header.Get(name), second.header.Get(name))
		}
		in.path += "/"
		require.Equal(t, first.text, s.do(t, in).text, "a trailing slash does not change the path")

		in.body = strings.Replace(in.body, "{", "{ ", 1)
		requireProblem(t, 422, booking.CodeKeyReused, "", s.do(t, in))
		in.header = key("twice")
		require.NotEqual(t, first.text, s.do(t, in).text)
	}
}

func TestKeysOfUsersAreTheirOwn(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	id := s.train(t, "Delhi", "Mumbai")
	in := request{method: "POST", path: "/v1/holds", header: key("k"), body: `{"train_id":"` + id.String() + `","count":1}`}
	in.token = s.user(t, "asha")
	first := s.do(t, in)
	in.token = s.user(t, "ravi")
	require.NotEqual(t, first.str(t, "hold_id"), s.do(t, in).str(t, "hold_id"))
}

// TestErrorsAreNotFinalForAKey repeats a request after each reason for which it was refused has gone.
func TestErrorsAreNotFinalForAKey(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(_ *api.Options, rules *booking.HoldRules) { rules.MaxSeats = 1 })
	asha, ravi := s.user(t, "asha"), s.user(t, "ravi")
	train := booking.Train{
		ID: booking.NewTrainID(), Name: "Duranto", Capacity: 1, Stops: []booking.Stop{{Station: "Delhi"}, {Station: "Mumbai"}},
	}
	seat1 := `{"train_id":"` + train.ID.String() + `","seats":[1]}`
	seat2 := strings.Replace(seat1, "1]", "2]", 1)
	put := func(change func()) func() {
		return func() {
			change()
			_, _, err := s.trains.PutTrain(t.Context(), train)
			require.NoError(t, err)
		}
	}
	var hold, booked string // of ravi
	attempt := func(token, key, body string, status int, code booking.Code) response {
		r := s.do(t, request{
			method: "POST", path: "/v1/holds", token: token, body: body, header: http.Header{"Idempotency-Key": {key}},
		})
		if code != "" {
			requireProblem(t, status, code, "", r)
		}
		require.Equal(t, status, r.status, r.text)
		return r
	}
	requireDone := func(r response, status int) response {
		require.Equal(t, status, r.status, r.text)
		return r
	}
	for _, step := range []struct {
		status int
		code   booking.Code
		change func()
	}{
		{404, booking.CodeNotFound, put(func() { train.Stops[0].DepartsAt = time.Now().Add(-time.Hour) })},
		{409, booking.CodeNotOnSale, put(func() { train.OnSale = true })},
		{409, booking.CodeDeparted, put(func() { train.Stops[0].DepartsAt = time.Time{} })},
	} {
		attempt(ravi, "k", seat1, step.status, step.code)
		step.change()
	}
	hold = attempt(ravi, "k", seat1, 201, "").str(t, "hold_id")

	attempt(asha, "k", seat1, 409, booking.CodeSeatLocked)
	booked = requireDone(s.post(t, ravi, "/v1/holds/"+hold+"/confirm", ""), 200).str(t, "booking_id")
	attempt(asha, "k", seat1, 409, booking.CodeSeatBooked)
	attempt(ravi, "beyond", seat2, 404, booking.CodeNotFound)
	requireDone(s.do(t, request{method: "DELETE", path: "/v1/bookings/" + booked, token: ravi}), 204)
	put(func() { train.Capacity = 2 })()
	first := attempt(asha, "k", seat1, 201, "")
	attempt(ravi, "beyond", seat2, 201, "")

	attempt(asha, "more", seat2, 409, booking.CodeSeatLocked)
	requireDone(s.post(t, ravi, "/train/release-seat/", `{"seat_id":"`+train.ID.Seat(2).String()+`"}`), 200)
	attempt(asha, "more", seat2, 429, booking.CodeTooManyHolds)
	requireDone(s.post(t, asha, "/train/release-seat/", `{"seat_id":"`+train.ID.Seat(1).String()+`"}`), 200)
	attempt(asha, "more", seat2, 201, "")
	require.Equal(t, first.text, attempt(asha, "k", seat1, 201, "").text, "a success is final, even if its hold has ended")
}

func TestMalformedKeyIsRejected(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, header := range []http.Header{
		key(""), key(strings.Repeat("k", 256)), key("ключ"), key("a\tb"), {"Idempotency-Key": {"a", "a"}},
	} {
		r := s.do(t, request{method: "POST", path: "/v1/trains", token: serviceToken, body: shatabdi, header: header})
		requireInvalid(t, r, "Idempotency-Key")
	}
	r := s.do(t, request{method: "POST", path: "/v1/trains", token: serviceToken, body: shatabdi, header: key(strings.Repeat("k", 255))})
	require.Equal(t, 201, r.status)
}

// failingReplies fails to store replies, as if the process died before.
type failingReplies struct{ booking.Replies }

func (failingReplies) ReleaseKey(context.Context, uuid.UUID, string, uuid.UUID, *booking.Reply) error {
	return context.Canceled
}

// clock is a time that a test sets.
type clock struct{ micros atomic.Int64 }

func newClock(now time.Time) *clock {
	c := &clock{}
	c.micros.Store(now.UnixMicro())
	return c
}

func (c *clock) now() time.Time          { return time.UnixMicro(c.micros.Load()) }
func (c *clock) advance(d time.Duration) { c.micros.Add(d.Microseconds()) }
func (c *clock) set(o *api.Options)      { o.Now = c.now }
func withClock(c *clock, set setting) setting {
	return func(o *api.Options, rules *booking.HoldRules) {
		c.set(o)
		set(o, rules)
	}
}

// attemptTime is how long an attempt keeps others waiting (API.md).
const attemptTime = time.Second

func TestRetryAfterACrashFindsWhatTheFirstRequestCreated(t *testing.T) {
	t.Parallel()
	c := newClock(time.Now())
	s := newTestServer(t, withClock(c, func(o *api.Options, _ *booking.HoldRules) { o.Replies = failingReplies{o.Replies} }))
	id := s.train(t, "Delhi", "Mumbai")
	for _, in := range []request{
		{path: "/train/add-train/", token: s.admin(t), body: duranto},
		{path: "/v1/trains", token: serviceToken, body: shatabdi},
		{path: "/v1/holds", token: s.user(t, "asha"), body: `{"train_id":"` + id.String() + `","count":2}`},
	} {
		in.method, in.header = "POST", key("k")
		first := s.do(t, in)
		require.Less(t, first.status, 300, first.text)
		requireInFlight(t, s.do(t, in))
		c.advance(attemptTime)
		require.Equal(t, first.text, s.do(t, in).text)
		c.advance(attemptTime)
		in.body = strings.Replace(in.body, "{", "{ ", 1)
		requireProblem(t, 422, booking.CodeKeyReused, "", s.do(t, in))
	}
	require.Len(t, s.get(t, "", "/v1/trains").field(t, "items"), 3)
	require.Equal(t, 2.0, s.get(t, "", "/v1/trains/"+id.String()).field(t, "held"))
	require.Contains(t, s.log.String(), "could not store the reply")
}

// requireInFlight checks the response to a request whose key an earlier one has reserved.
func requireInFlight(t *testing.T, r response) {
	t.Helper()
	requireProblem(t, 503, booking.CodeUnavailable, "", r)
	require.Equal(t, "not_executed", r.str(t, "outcome"))
	require.Equal(t, "1", r.header.Get("Retry-After"))
}

// TestRetryTakesTheSameSeatsAtEveryTime repeats a request until its key expires, across midnight.
func TestRetryTakesTheSameSeatsAtEveryTime(t *testing.T) {
	t.Parallel()
	c := newClock(time.Now().UTC().Truncate(24 * time.Hour).Add(24*time.Hour - time.Second))
	s := newTestServer(t, withClock(c, func(o *api.Options, _ *booking.HoldRules) { o.Replies = failingReplies{o.Replies} }))
	id := s.train(t, "Delhi", "Mumbai")
	in := request{
		method: "POST", path: "/v1/holds", token: s.user(t, "asha"), header: key("k"),
		body: `{"train_id":"` + id.String() + `","count":2}`,
	}
	first := s.do(t, in)
	require.Equal(t, 201, first.status, first.text)
	for _, later := range []time.Duration{attemptTime, 12 * time.Hour, 12*time.Hour - attemptTime - time.Second} {
		c.advance(later)
		require.Equal(t, first.text, s.do(t, in).text)
	}
}

// blockingService is the real service, but a hold waits until resume is closed.
type blockingService struct {
	booking.Service
	begun, resume chan struct{}
}

func (b *blockingService) Hold(ctx context.Context, request booking.HoldRequest) (booking.Hold, error) {
	b.begun <- struct{}{}
	<-b.resume
	return b.Service.Hold(ctx, request)
}

// TestOneOfTwoProcessesExecutesARequest sends requests with one key to two servers, which share only
// a Postgres.
func TestOneOfTwoProcessesExecutesARequest(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), servers.Postgres(t), postgres.Options{Logger: slog.New(slog.DiscardHandler)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	b := &blockingService{begun: make(chan struct{}, 1), resume: make(chan struct{})}
	// The clock stands still, so the first attempt keeps the other waiting.
	shared := withClock(newClock(time.Now()), func(o *api.Options, _ *booking.HoldRules) { o.Replies = db })
	slow := newTestServer(t, shared, wrapped(func(real booking.Service) booking.Service {
		b.Service = real
		return b
	}))
	other := newTestServer(t, shared)
	id := slow.train(t, "Delhi", "Mumbai")
	in := request{
		method: "POST", path: "/v1/holds", token: slow.user(t, "asha"), header: key("k"),
		body: `{"train_id":"` + id.String() + `","count":2}`,
	}
	resume := sync.OnceFunc(func() { close(b.resume) })
	defer resume()
	first := make(chan response, 1)
	go func() { first <- slow.do(t, in) }()
	<-b.begun
	requireInFlight(t, other.do(t, in))
	different := in
	different.body = strings.Replace(in.body, "2}", "3}", 1)
	requireProblem(t, 422, booking.CodeKeyReused, "", other.do(t, different))
	resume()
	done := <-first
	require.Equal(t, 201, done.status, done.text)
	require.Equal(t, done.text, other.do(t, in).text)
	requireProblem(t, 422, booking.CodeKeyReused, "", other.do(t, different))
}

// countingService is the real service and counts calls of CreateTrain.
type countingService struct {
	booking.Service
	creations atomic.Int32
}

func (c *countingService) CreateTrain(ctx context.Context, train booking.Train) (booking.Train, error) {
	c.creations.Add(1)
	return c.Service.CreateTrain(ctx, train)
}

func TestConcurrentRequestsWithOneKeyCreateOneTrain(t *testing.T) {
	t.Parallel()
	c := &countingService{}
	still := withClock(newClock(time.Now()), func(*api.Options, *booking.HoldRules) {}) // so no attempt ends early
	s := newTestServer(t, still, wrapped(func(real booking.Service) booking.Service {
		c.Service = real
		return c
	}))
	in := request{method: "POST", path: "/v1/trains", token: serviceToken, body: shatabdi, header: key("k")}
	var all sync.WaitGroup
	responses := make([]response, 20)
	for i := range responses {
		all.Go(func() { responses[i] = s.do(t, in) })
	}
	all.Wait()
	created := s.do(t, in)
	require.Equal(t, 201, created.status, created.text)
	for _, r := range responses {
		if r.status == 503 {
			requireInFlight(t, r)
		} else {
			require.Equal(t, created.text, r.text)
		}
	}
	require.Len(t, s.get(t, "", "/v1/trains").field(t, "items"), 1)
	require.EqualValues(t, 1, c.creations.Load())
}

// laggingService is the real service, but its catalogue does not have the trains that were created.
type laggingService struct{ booking.Service }

func (laggingService) FindTrain(context.Context, booking.TrainID) (booking.Availability, error) {
	return booking.Availability{}, booking.NotFound("train")
}

// A train that another process has created before it crashed is not in the catalogue of this one yet.
func TestRetryIsUnavailableUntilTheTrainIsListed(t *testing.T) {
	t.Parallel()
	c := newClock(time.Now())
	s := newTestServer(t,
		withClock(c, func(o *api.Options, _ *booking.HoldRules) { o.Replies = failingReplies{o.Replies} }),
		wrapped(func(real booking.Service) booking.Service { return laggingService{real} }))
	in := request{method: "POST", path: "/v1/trains", token: serviceToken, body: shatabdi, header: key("k")}
	require.Equal(t, 201, s.do(t, in).status)
	c.advance(attemptTime)
	r := s.do(t, in)
	requireProblem(t, 503, booking.CodeUnavailable, "", r)
	require.Equal(t, "unknown", r.str(t, "outcome"))
}

// TestRequestIsNotExecutedWithoutAReservation: the outcome of a reservation may be unknown.
func TestRequestIsNotExecutedWithoutAReservation(t *testing.T) {
	t.Parallel()
	c := &countingService{}
	s := newTestServer(t, wrapped(func(real booking.Service) booking.Service {
		c.Service = real
		return c
	}), func(o *api.Options, _ *booking.HoldRules) { o.Replies = unknownReplies{} })
	r := s.do(t, request{method: "POST", path: "/v1/trains", token: serviceToken, body: shatabdi, header: key("k")})
	requireInFlight(t, r)
	require.Zero(t, c.creations.Load())
}

// unknownReplies is a store whose connection is lost during each reservation.
type unknownReplies struct{ booking.Replies }

func (unknownReplies) ReserveKey(
	context.Context, uuid.UUID, string, booking.Reservation, time.Time,
) (booking.Reservation, error) {
	return booking.Reservation{}, booking.Unavailable(booking.OutcomeUnknown, time.Second, context.Canceled)
}

// A key is free again after a day. Its next hold must not have the id of the first hold,
// which has become a booking.
func TestKeyExpiresAfterADay(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newTestServer(t, func(o *api.Options, _ *booking.HoldRules) { o.Now = func() time.Time { return now } })
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	in := request{method: "POST", path: "/v1/holds", token: token, header: key("k"), body: `{"train_id":"` + id.String() + `","count":1}`}
	first := s.do(t, in)
	booked := s.post(t, token, "/v1/holds/"+first.str(t, "hold_id")+"/confirm", "")
	now = now.Add(24*time.Hour - time.Second)
	require.Equal(t, first.text, s.do(t, in).text)
	now = now.Add(2 * time.Second)
	second := s.do(t, in)
	require.NotEqual(t, first.str(t, "hold_id"), second.str(t, "hold_id"))
	again := s.post(t, token, "/v1/holds/"+second.str(t, "hold_id")+"/confirm", "")
	require.NotEqual(t, booked.str(t, "booking_id"), again.str(t, "booking_id"))
	in.body = strings.Replace(in.body, "1}", "2}", 1)
	requireProblem(t, 422, booking.CodeKeyReused, "", s.do(t, in))
}
