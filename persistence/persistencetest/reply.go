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
	{"ReplyIsFoundAsItWasSaved", replyFound},
	{"FirstReplyIsKeptUntilItExpires", firstReplyKept},
	{"KeysBelongToTheirUser", keysOfUser},
	{"ReplyWithoutBodyIsKept", replyWithoutBody},
	{"OneOfManyRepliesIsKept", oneReplyKept},
}

// newReply returns a reply that expires a day after start.
func newReply(body string) booking.Reply {
	return booking.Reply{
		RequestHash: sha256.Sum256([]byte(body)), Status: 201, Location: "/v1/trains/" + body,
		Body: []byte(body), ExpiresAt: start.Add(24 * time.Hour),
	}
}

func replyFound(x *exercise) {
	user, want := uuid.New(), newReply("{\"name\":\"एक्सप्रेस\"}\x00\xff")
	_, err := x.FindReply(x.Context(), user, "k", start)
	x.requireCode(booking.CodeNotFound, err)
	require.NoError(x, x.SaveReply(x.Context(), user, "k", want, start))
	got, err := x.FindReply(x.Context(), user, "k", want.ExpiresAt.Add(-time.Microsecond))
	require.NoError(x, err)
	require.Equal(x, want, got)
	_, err = x.FindReply(x.Context(), user, "k", want.ExpiresAt)
	x.requireCode(booking.CodeNotFound, err)
}

func firstReplyKept(x *exercise) {
	user, key := uuid.New(), strings.Repeat("k", 255)
	first, second := newReply("first"), newReply("second")
	second.ExpiresAt = first.ExpiresAt.Add(24 * time.Hour)
	require.NoError(x, x.SaveReply(x.Context(), user, key, first, start))
	require.NoError(x, x.SaveReply(x.Context(), user, key, second, first.ExpiresAt.Add(-time.Microsecond)))
	got, err := x.FindReply(x.Context(), user, key, start)
	require.NoError(x, err)
	require.Equal(x, first, got)
	require.NoError(x, x.SaveReply(x.Context(), user, key, second, first.ExpiresAt))
	got, err = x.FindReply(x.Context(), user, key, first.ExpiresAt)
	require.NoError(x, err)
	require.Equal(x, second, got)
}

func keysOfUser(x *exercise) {
	alice, bob := uuid.New(), uuid.New()
	require.NoError(x, x.SaveReply(x.Context(), alice, "k", newReply("of alice"), start))
	require.NoError(x, x.SaveReply(x.Context(), bob, "k", newReply("of bob"), start))
	require.NoError(x, x.SaveReply(x.Context(), alice, "K", newReply("of another key"), start))
	for _, c := range []struct {
		user uuid.UUID
		key  string
		want string
	}{{alice, "k", "of alice"}, {bob, "k", "of bob"}, {alice, "K", "of another key"}} {
		got, err := x.FindReply(x.Context(), c.user, c.key, start)
		require.NoError(x, err)
		require.Equal(x, c.want, string(got.Body))
	}
}

func replyWithoutBody(x *exercise) {
	user, reply := uuid.New(), newReply("")
	reply.Body, reply.Location = nil, ""
	require.NoError(x, x.SaveReply(x.Context(), user, "k", reply, start))
	got, err := x.FindReply(x.Context(), user, "k", start)
	require.NoError(x, err)
	require.Empty(x, got.Body)
	require.Empty(x, got.Location)
	require.Equal(x, reply.RequestHash, got.RequestHash)
}

func oneReplyKept(x *exercise) {
	user := uuid.New()
	bodies := []string{"a", "b", "c", "d", "e", "f"}
	for _, err := range together(len(bodies), func(i int) error {
		return x.SaveReply(x.Context(), user, "k", newReply(bodies[i]), start)
	}) {
		require.NoError(x, err)
	}
	got, err := x.FindReply(x.Context(), user, "k", start)
	require.NoError(x, err)
	require.Equal(x, newReply(string(got.Body)), got, "one of them completely")
}
