package api_test

import (
	"context"
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
		{path: "/v1/holds", token: s.user(t, "ravi"), body: `{"train_id":"` + booking.NewTrainID().String() + `","count":2}`},
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

func TestResponsesThatMayChangeAreNotStored(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(_ *api.Options, rules *booking.HoldRules) { rules.MaxSeats = 1 })
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	held := s.lock(t, token, id, "1")
	in := request{method: "POST", path: "/v1/holds", token: token, header: key("k"), body: `{"train_id":"` + id.String() + `","seats":[2]}`}
	requireProblem(t, 429, booking.CodeTooManyHolds, "", s.do(t, in))
	require.Equal(t, 200, s.post(t, token, "/train/release-seat/", `{"seat_id":"`+held.str(t, "seat_id")+`"}`).status)
	require.Equal(t, 201, s.do(t, in).status)
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

func (failingReplies) SaveReply(context.Context, uuid.UUID, string, booking.Reply, time.Time) error {
	return context.Canceled
}

func TestRetryAfterACrashFindsWhatTheFirstRequestCreated(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(o *api.Options, _ *booking.HoldRules) { o.Replies = failingReplies{o.Replies} })
	for _, in := range []request{
		{path: "/train/add-train/", token: s.admin(t), body: duranto},
		{path: "/v1/trains", token: serviceToken, body: shatabdi},
	} {
		in.method, in.header = "POST", key("k")
		first, second := s.do(t, in), s.do(t, in)
		require.Less(t, first.status, 300, first.text)
		require.Equal(t, first.text, second.text)
	}
	require.Len(t, s.get(t, "", "/v1/trains").field(t, "items"), 2)

	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	in := request{method: "POST", path: "/v1/holds", token: token, header: key("k"), body: `{"train_id":"` + id.String() + `","count":2}`}
	require.Equal(t, s.do(t, in).text, s.do(t, in).text)
	require.Equal(t, 2.0, s.get(t, "", "/v1/trains/"+id.String()).field(t, "held"))
	require.Contains(t, s.log.String(), "could not store the reply")
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
	s := newTestServer(t, wrapped(func(real booking.Service) booking.Service {
		c.Service = real
		return c
	}))
	in := request{method: "POST", path: "/v1/trains", token: serviceToken, body: shatabdi, header: key("k")}
	var all sync.WaitGroup
	bodies := make([]string, 20)
	for i := range bodies {
		all.Go(func() { bodies[i] = s.do(t, in).text })
	}
	all.Wait()
	for _, text := range bodies {
		require.Equal(t, bodies[0], text)
	}
	require.Len(t, s.get(t, "", "/v1/trains").field(t, "items"), 1)
	require.EqualValues(t, 1, c.creations.Load(), "the others waited for the first")
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
