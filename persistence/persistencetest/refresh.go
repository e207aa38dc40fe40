package persistencetest

import (
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var refreshFacts = []fact[*exercise]{
	{"TokensFollowOneAnother", tokensFollow},
	{"UsedTokenYieldsItsSuccessorAgainForSeconds", successorAgain},
	{"UsedTokenDoesNotForkItsFamily", familyNotForked},
	{"ReuseRevokesOnlyTheFamilyOfTheToken", reuseRevokes},
	{"ExpiredOrUnknownTokenIsRefused", expiredRefused},
	{"RevokedFamilyIsRefused", familyRevoked},
	{"FamilyIsRevokedOnlyByItsUser", onlyOwnFamily},
	{"PasswordChangeRevokesEveryFamilyOfItsUser", passwordRevokes},
	{"DisabledOrDeletedUserHasNoTokens", disabledRefused},
	{"ConcurrentRotationsYieldOneSuccessor", concurrentRotations},
}

// newToken returns the first token of a new family.
func newToken(user booking.User) booking.RefreshToken {
	return booking.RefreshToken{
		ID: uuid.New(), Family: uuid.New(), User: user.ID, IssuedAt: start, ExpiresAt: start.Add(24 * time.Hour),
	}
}

// next returns the next token of a family.
func next(token booking.RefreshToken) booking.RefreshToken {
	token.ID = uuid.New()
	return token
}

// saveToken stores a new token.
func (x *exercise) saveToken(user booking.User) booking.RefreshToken {
	x.Helper()
	token := newToken(user)
	require.NoError(x, x.SaveRefreshToken(x.Context(), token))
	return token
}

// rotate uses a token at a time and returns the next one.
func (x *exercise) rotate(token booking.RefreshToken, at time.Time) booking.RefreshToken {
	x.Helper()
	following := next(token)
	following.IssuedAt = at
	got, err := x.RotateRefreshToken(x.Context(), token.ID, following)
	require.NoError(x, err)
	require.Equal(x, following, got)
	return got
}

// requireAgain checks that a used token yields its successor at a time.
func (x *exercise) requireAgain(successor, token booking.RefreshToken, at time.Time) {
	x.Helper()
	following := next(token)
	following.IssuedAt = at
	got, err := x.RotateRefreshToken(x.Context(), token.ID, following)
	require.NoError(x, err)
	require.Equal(x, successor, got)
	x.requireRefused(following) // it was not recorded
}

// requireRefused checks that the token is refused.
func (x *exercise) requireRefused(token booking.RefreshToken) {
	x.Helper()
	x.requireRefusedAt(token, start)
}

func (x *exercise) requireRefusedAt(token booking.RefreshToken, at time.Time) {
	x.Helper()
	following := next(token)
	following.IssuedAt = at
	_, err := x.RotateRefreshToken(x.Context(), token.ID, following)
	x.requireCode(booking.CodeUnauthenticated, err)
}

func tokensFollow(x *exercise) {
	token := x.saveToken(x.createUser())
	for range 3 {
		token = x.rotate(token, start)
	}
}

func successorAgain(x *exercise) {
	first := x.saveToken(x.createUser())
	second := x.rotate(first, start)
	last := start.Add(booking.RefreshGrace - time.Microsecond)
	for _, at := range []time.Time{start.Add(-time.Second), start, last, last} { // clocks differ
		x.requireAgain(second, first, at)
	}
	third := x.rotate(second, last)
	x.requireAgain(third, second, last.Add(booking.RefreshGrace-time.Microsecond))
	x.requireRefusedAt(second, last.Add(booking.RefreshGrace))
	x.requireRefused(third) // the family is revoked
}

func familyNotForked(x *exercise) {
	first := x.saveToken(x.createUser())
	second := x.rotate(first, start)
	third := x.rotate(second, start.Add(time.Second))
	x.requireRefusedAt(first, start.Add(2*time.Second))
	x.requireRefused(third) // two clients have the family
}

func reuseRevokes(x *exercise) {
	user := x.createUser()
	stolen, other := x.saveToken(user), x.saveToken(user)
	second := x.rotate(stolen, start)
	x.requireRefusedAt(stolen, start.Add(booking.RefreshGrace))
	x.requireRefused(second)
	x.rotate(other, start)
}

func expiredRefused(x *exercise) {
	user := x.createUser()
	x.requireRefused(newToken(user))
	token := x.saveToken(user)
	following := x.rotate(token, token.ExpiresAt.Add(-time.Microsecond)) // valid until it expires
	x.requireRefusedAt(following, following.ExpiresAt)
}

func familyRevoked(x *exercise) {
	user := x.createUser()
	token, other := x.saveToken(user), x.saveToken(user)
	for range 2 { // idempotent
		require.NoError(x, x.RevokeFamily(x.Context(), user.ID, token.Family))
	}
	x.requireRefused(token)
	x.rotate(other, start)
	require.NoError(x, x.RevokeFamily(x.Context(), user.ID, uuid.New()), "an unknown family")
}

func onlyOwnFamily(x *exercise) {
	token := x.saveToken(x.createUser())
	require.NoError(x, x.RevokeFamily(x.Context(), x.createUser().ID, token.Family))
	x.rotate(token, start)
}

func passwordRevokes(x *exercise) {
	user, bystander := x.createUser(), x.createUser()
	first, second, theirs := x.saveToken(user), x.saveToken(user), x.saveToken(bystander)
	x.requireCode(booking.CodeNotFound, x.SetPassword(x.Context(), user.ID, "wrong", "new"))
	following := x.rotate(second, start) // a failed change revokes nothing
	require.NoError(x, x.SetPassword(x.Context(), user.ID, user.PasswordHash, "new"))
	x.requireRefused(first)
	x.requireRefused(following)
	x.rotate(theirs, start)
}

func disabledRefused(x *exercise) {
	for name, end := range map[string]func(booking.User) error{
		"disabled": func(u booking.User) error { _, err := x.SetDisabled(x.Context(), u.ID, true); return err },
		"deleted":  func(u booking.User) error { return x.DeleteUser(x.Context(), u.ID, start) },
	} {
		user, bystander := x.createUser(), x.createUser()
		token, theirs := x.saveToken(user), x.saveToken(bystander)
		require.NoError(x, end(user), name)
		x.requireRefused(token)
		late := x.saveToken(user) // of a login that an earlier version allowed
		x.requireRefused(late)
		x.rotate(theirs, start)
	}
	user := x.createUser()
	token := x.saveToken(user)
	for _, disabled := range []bool{true, false} {
		_, err := x.SetDisabled(x.Context(), user.ID, disabled)
		require.NoError(x, err)
	}
	x.requireRefused(token)
	fresh := x.saveToken(user)
	x.rotate(fresh, start)
}

func concurrentRotations(x *exercise) {
	token := x.saveToken(x.createUser())
	const n = 8
	var following, got [n]booking.RefreshToken
	for i := range following {
		following[i] = next(token)
	}
	results := together(n, func(i int) error {
		var err error
		got[i], err = x.RotateRefreshToken(x.Context(), token.ID, following[i])
		return err
	})
	require.Equal(x, n, succeeded(results))
	for i := range got {
		require.Equal(x, got[0], got[i])
		if following[i] != got[0] {
			x.requireRefused(following[i])
		}
	}
	x.rotate(got[0], start)
}
