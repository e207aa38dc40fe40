package persistencetest

import (
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

var refreshFacts = []fact[*exercise]{
	{"TokenIsUsedOnce", tokenUsedOnce},
	{"ReuseRevokesOnlyTheFamilyOfTheToken", reuseRevokes},
	{"ExpiredOrUnknownTokenIsRefused", expiredRefused},
	{"RevokedFamilyIsRefused", familyRevoked},
	{"FamilyIsRevokedOnlyByItsUser", onlyOwnFamily},
	{"PasswordChangeRevokesEveryFamilyOfItsUser", passwordRevokes},
	{"DisabledOrDeletedUserHasNoTokens", disabledRefused},
	{"ConcurrentRotationsHaveOneWinnerAndRevokeTheFamily", concurrentRotations},
}

// newToken returns the first token of a new family.
func newToken(user booking.User) booking.RefreshToken {
	return booking.RefreshToken{
		ID: uuid.New(), Family: uuid.New(), User: user.ID, ExpiresAt: start.Add(24 * time.Hour),
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

// requireRefused checks that the token is refused.
func (x *exercise) requireRefused(token booking.RefreshToken) {
	x.Helper()
	x.requireCode(booking.CodeUnauthenticated, x.RotateRefreshToken(x.Context(), token.ID, next(token), start))
}

func tokenUsedOnce(x *exercise) {
	token := x.saveToken(x.createUser())
	for range 3 {
		following := next(token)
		require.NoError(x, x.RotateRefreshToken(x.Context(), token.ID, following, start))
		token = following
	}
}

func reuseRevokes(x *exercise) {
	user := x.createUser()
	stolen, other := x.saveToken(user), x.saveToken(user)
	second := next(stolen)
	require.NoError(x, x.RotateRefreshToken(x.Context(), stolen.ID, second, start))
	third := next(second)
	require.NoError(x, x.RotateRefreshToken(x.Context(), second.ID, third, start))
	x.requireRefused(stolen)
	x.requireRefused(third)
	require.NoError(x, x.RotateRefreshToken(x.Context(), other.ID, next(other), start))
}

func expiredRefused(x *exercise) {
	user := x.createUser()
	x.requireRefused(newToken(user))
	token := x.saveToken(user)
	following := next(token)
	err := x.RotateRefreshToken(x.Context(), token.ID, following, token.ExpiresAt.Add(-time.Microsecond))
	require.NoError(x, err, "valid until it expires")
	err = x.RotateRefreshToken(x.Context(), following.ID, next(following), following.ExpiresAt)
	x.requireCode(booking.CodeUnauthenticated, err)
}

func familyRevoked(x *exercise) {
	user := x.createUser()
	token, other := x.saveToken(user), x.saveToken(user)
	for range 2 { // idempotent
		require.NoError(x, x.RevokeFamily(x.Context(), user.ID, token.Family))
	}
	x.requireRefused(token)
	require.NoError(x, x.RotateRefreshToken(x.Context(), other.ID, next(other), start))
	require.NoError(x, x.RevokeFamily(x.Context(), user.ID, uuid.New()), "an unknown family")
}

func onlyOwnFamily(x *exercise) {
	token := x.saveToken(x.createUser())
	require.NoError(x, x.RevokeFamily(x.Context(), x.createUser().ID, token.Family))
	require.NoError(x, x.RotateRefreshToken(x.Context(), token.ID, next(token), start))
}

func passwordRevokes(x *exercise) {
	user, bystander := x.createUser(), x.createUser()
	first, second, theirs := x.saveToken(user), x.saveToken(user), x.saveToken(bystander)
	x.requireCode(booking.CodeNotFound, x.SetPassword(x.Context(), user.ID, "wrong", "new"))
	following := next(second)
	require.NoError(x, x.RotateRefreshToken(x.Context(), second.ID, following, start), "a failed change revokes nothing")
	require.NoError(x, x.SetPassword(x.Context(), user.ID, user.PasswordHash, "new"))
	x.requireRefused(first)
	x.requireRefused(following)
	require.NoError(x, x.RotateRefreshToken(x.Context(), theirs.ID, next(theirs), start))
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
		require.NoError(x, x.RotateRefreshToken(x.Context(), theirs.ID, next(theirs), start))
	}
	user := x.createUser()
	token := x.saveToken(user)
	for _, disabled := range []bool{true, false} {
		_, err := x.SetDisabled(x.Context(), user.ID, disabled)
		require.NoError(x, err)
	}
	x.requireRefused(token)
	fresh := x.saveToken(user)
	require.NoError(x, x.RotateRefreshToken(x.Context(), fresh.ID, next(fresh), start))
}

func concurrentRotations(x *exercise) {
	token := x.saveToken(x.createUser())
	const n = 8
	var following [n]booking.RefreshToken
	for i := range following {
		following[i] = next(token)
	}
	results := together(n, func(i int) error {
		return x.RotateRefreshToken(x.Context(), token.ID, following[i], start)
	})
	require.Equal(x, 1, succeeded(results))
	for i, err := range results {
		if err != nil {
			x.requireCode(booking.CodeUnauthenticated, err)
		}
		x.requireRefused(following[i])
	}
}
