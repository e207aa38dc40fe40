package persistencetest

import (
	"crypto/sha256"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var replyFacts = []fact[*exercise]{
	{"FreeKeyIsReserved", freeKeyReserved},
	{"ReplyIsReturnedUntilItExpires", replyReturned},
	{"ReplyWithoutBodyIsKept", replyWithoutBody},
	{"KeyBelongsToItsFirstRequest", keyOfFirstRequest},
	{"AttemptThatEndedIsRepeated", endedAttemptRepeated},
	{"AttemptThatDiedBlocksOnlyUntilItsEnd", deadAttemptEnds},
	{"LateAttemptChangesNothing", lateAttempt},
	{"KeysBelongToTheirUser", keysOfUser},
	{"OneOfManyReservesAKey", oneReserves},
}

// newReservation returns a reservation for 7 s, of a key that is free again a day after at.
func newReservation(body string, at time.Time) booking.Reservation {
	return booking.Reservation{
		ID: uuid.New(), RequestHash: sha256.Sum256([]byte(body)), Until: at.Add(7 * time.Second), ExpiresAt: at.Add(24 * time.Hour),
	}
}

// reserve reserves the key "k" for a request with this body and returns what was wanted and what
// the key has.
func (x *exercise) reserve(user uuid.UUID, body string, at time.Time) (wanted, got booking.Reservation) {
	x.Helper()
	wanted = newReservation(body, at)
	got, err := x.ReserveKey(x.Context(), user, "k", wanted, at)
	require.NoError(x, err)
	return wanted, got
}

// reserved is reserve of a key that is free.
func (x *exercise) reserved(user uuid.UUID, body string, at time.Time) booking.Reservation {
	x.Helper()
	wanted, got := x.reserve(user, body, at)
	require.Equal(x, wanted, got)
	return got
}

func (x *exercise) release(user uuid.UUID, attempt uuid.UUID, reply *booking.Reply) {
	x.Helper()
	require.NoError(x, x.ReleaseKey(x.Context(), user, "k", attempt, reply))
}

func freeKeyReserved(x *exercise) {
	user, wanted := uuid.New(), newReservation("a", start)
	key := strings.Repeat("k", 254) + "\xff"
	got, err := x.ReserveKey(x.Context(), user, key, wanted, start)
	require.NoError(x, err)
	require.Equal(x, wanted, got)
	got, err = x.ReserveKey(x.Context(), user, key, newReservation("a", start), start)
	require.NoError(x, err)
	require.Equal(x, wanted, got)
	require.NoError(x, x.ReleaseKey(x.Context(), user, "another", wanted.ID, &booking.Reply{Status: 201}))
}

func replyReturned(x *exercise) {
	user := uuid.New()
	first := x.reserved(user, "a", start)
	reply := &booking.Reply{Status: 201, Location: "/v1/trains/x", Body: []byte("{\"name\":\"एक्सप्रेस\"}\x00\xff")}
	x.release(user, first.ID, reply)
	want := booking.Reservation{RequestHash: first.RequestHash, ExpiresAt: first.ExpiresAt, Reply: reply}
	for _, body := range []string{"a", "b"} {
		_, got := x.reserve(user, body, first.ExpiresAt.Add(-time.Microsecond))
		require.Equal(x, want, got)
	}
	x.reserved(user, "b", first.ExpiresAt)
}

func replyWithoutBody(x *exercise) {
	user := uuid.New()
	x.release(user, x.reserved(user, "a", start).ID, &booking.Reply{Status: 204})
	_, got := x.reserve(user, "a", start)
	require.NotNil(x, got.Reply)
	require.Equal(x, 204, got.Reply.Status)
	require.Empty(x, got.Reply.Body)
	require.Empty(x, got.Reply.Location)
}

func keyOfFirstRequest(x *exercise) {
	user := uuid.New()
	first := x.reserved(user, "a", start)
	_, got := x.reserve(user, "b", first.Until)
	require.Equal(x, first, got, "even if its attempt has died")
	x.release(user, first.ID, nil)
	_, got = x.reserve(user, "b", first.ExpiresAt.Add(-time.Microsecond))
	require.Equal(x, booking.Reservation{RequestHash: first.RequestHash, ExpiresAt: first.ExpiresAt}, got)
	x.reserved(user, "b", first.ExpiresAt)
}

// requireRepeated checks that another attempt at the first request may execute it.
func (x *exercise) requireRepeated(user uuid.UUID, first booking.Reservation, at time.Time) booking.Reservation {
	x.Helper()
	wanted, got := x.reserve(user, "a", at)
	require.NotEqual(x, first.ExpiresAt, wanted.ExpiresAt)
	wanted.ExpiresAt = first.ExpiresAt
	require.Equal(x, wanted, got)
	return got
}

func endedAttemptRepeated(x *exercise) {
	user := uuid.New()
	first := x.reserved(user, "a", start)
	x.release(user, first.ID, nil)
	second := x.requireRepeated(user, first, start.Add(time.Second))
	_, got := x.reserve(user, "a", start.Add(time.Second))
	require.Equal(x, second, got)
}

func deadAttemptEnds(x *exercise) {
	user := uuid.New()
	first := x.reserved(user, "a", start)
	_, got := x.reserve(user, "a", first.Until.Add(-time.Microsecond))
	require.Equal(x, first, got)
	x.requireRepeated(user, first, first.Until)
}

func lateAttempt(x *exercise) {
	user := uuid.New()
	first := x.reserved(user, "a", start)
	second := x.requireRepeated(user, first, first.Until)
	for _, late := range []*booking.Reply{nil, {Status: 201, Body: []byte("late")}} {
		x.release(user, first.ID, late)
		_, got := x.reserve(user, "a", first.Until)
		require.Equal(x, second, got)
	}
	reply := &booking.Reply{Status: 201, Body: []byte("in time")}
	x.release(user, second.ID, reply)
	x.release(user, first.ID, nil)
	x.release(user, second.ID, nil)
	_, got := x.reserve(user, "a", first.Until)
	require.Equal(x, reply, got.Reply)
}

func keysOfUser(x *exercise) {
	alice, bob := uuid.New(), uuid.New()
	x.reserved(alice, "a", start)
	x.reserved(bob, "b", start)
	wanted := newReservation("c", start)
	got, err := x.ReserveKey(x.Context(), alice, "K", wanted, start)
	require.NoError(x, err)
	require.Equal(x, wanted, got)
}

func oneReserves(x *exercise) {
	user := uuid.New()
	bodies := []string{"a", "b", "a", "b", "a", "b"}
	got := make([]booking.Reservation, len(bodies))
	for _, err := range together(len(bodies), func(i int) (err error) {
		got[i], err = x.ReserveKey(x.Context(), user, "k", newReservation(bodies[i], start), start)
		return err
	}) {
		require.NoError(x, err)
	}
	for i := range got {
		require.Equal(x, got[0], got[i])
	}
}
