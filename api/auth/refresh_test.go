package auth_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

func TestIssuedTokensHaveTheDocumentedClaims(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	issued := login(t, accounts, "asha", password)
	read := func(token string) (map[string]any, jwt.MapClaims) {
		claims := jwt.MapClaims{}
		parsed, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return newKey, nil })
		require.NoError(t, err)
		return parsed.Header, claims
	}
	for kind, token := range map[string]string{access: issued.Access, refresh: issued.Refresh} {
		head, claims := read(token)
		require.Equal(t, map[string]any{"alg": "HS256", "typ": "JWT", "kid": kid(newKey)}, head)
		require.Equal(t, kind, claims["token_type"])
		require.Equal(t, user.ID.String(), claims["user_id"])
		require.Equal(t, "trainbooking", claims["iss"])
		require.Equal(t, []any{"trainbooking"}, claims["aud"])
		require.NoError(t, uuid.Validate(claims["jti"].(string)))
		life := time.Duration(claims["exp"].(float64)-claims["iat"].(float64)) * time.Second
		require.Equal(t, map[string]time.Duration{access: 20 * time.Minute, refresh: 24 * time.Hour}[kind], life)
		_, family := claims["family"]
		require.Equal(t, kind == refresh, family)
	}
}

func TestTokenOfTheOtherKindIsRejected(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	issued := login(t, accounts, "asha", password)
	_, err := accounts.Identify(issued.Refresh)
	require.Equal(t, auth.Unauthenticated(), err)
	_, err = accounts.Refresh(t.Context(), issued.Access)
	require.Equal(t, auth.Unauthenticated(), err)
	require.Equal(t, auth.Unauthenticated(), accounts.Logout(t.Context(), user.ID, issued.Access))
}

func TestReusedTokenRevokesItsFamily(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := newAccounts(t)
		register(t, accounts, "asha")
		other := login(t, accounts, "asha", password)
		first := login(t, accounts, "asha", password)
		second, err := accounts.Refresh(t.Context(), first.Refresh)
		require.NoError(t, err)
		advance(booking.RefreshGrace)
		for _, token := range []string{first.Refresh, second.Refresh} {
			_, err := accounts.Refresh(t.Context(), token)
			require.Equal(t, auth.Unauthenticated(), err)
		}
		_, err = accounts.Identify(second.Access)
		require.NoError(t, err, "access tokens are not revoked")
		_, err = accounts.Refresh(t.Context(), other.Refresh)
		require.NoError(t, err, "another family")
	})
}

func TestRepeatedRefreshReturnsTheSameRefreshToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := newAccounts(t)
		user := register(t, accounts, "asha")
		first := login(t, accounts, "asha", password)
		second, err := accounts.Refresh(t.Context(), first.Refresh)
		require.NoError(t, err)
		advance(booking.RefreshGrace - time.Millisecond)
		// Another process, after a change of its TTL.
		other := *accounts
		other.Tokens, err = auth.NewTokens([][]byte{newKey}, auth.DefaultAccessTTL, auth.DefaultRefreshTTL/2)
		require.NoError(t, err)
		for _, a := range []*auth.Accounts{accounts, &other} {
			again, err := a.Refresh(t.Context(), first.Refresh)
			require.NoError(t, err)
			require.Equal(t, second.Refresh, again.Refresh)
			identity, err := a.Identify(again.Access)
			require.NoError(t, err)
			require.Equal(t, auth.Identity{User: user.ID}, identity)
		}
		_, err = accounts.Refresh(t.Context(), second.Refresh)
		require.NoError(t, err)
	})
}

func TestRepeatedRefreshIsRefusedAfterLogout(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	first := login(t, accounts, "asha", password)
	second, err := accounts.Refresh(t.Context(), first.Refresh)
	require.NoError(t, err)
	require.NoError(t, accounts.Logout(t.Context(), user.ID, second.Refresh))
	_, err = accounts.Refresh(t.Context(), first.Refresh)
	require.Equal(t, auth.Unauthenticated(), err)
}

func TestUsedTokenDoesNotForkItsFamily(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	register(t, accounts, "asha")
	first := login(t, accounts, "asha", password)
	second, err := accounts.Refresh(t.Context(), first.Refresh)
	require.NoError(t, err)
	third, err := accounts.Refresh(t.Context(), second.Refresh)
	require.NoError(t, err)
	for _, token := range []string{first.Refresh, third.Refresh, second.Refresh} {
		_, err := accounts.Refresh(t.Context(), token)
		require.Equal(t, auth.Unauthenticated(), err)
	}
}

func TestConcurrentRefreshesReturnOneToken(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	register(t, accounts, "asha")
	issued := login(t, accounts, "asha", password)
	var got [8]auth.IssuedTokens
	var wait sync.WaitGroup
	for i := range got {
		wait.Go(func() {
			var err error
			if got[i], err = accounts.Refresh(t.Context(), issued.Refresh); err != nil {
				t.Errorf("refresh: %v", err)
			}
		})
	}
	wait.Wait()
	for i := range got {
		require.Equal(t, got[0].Refresh, got[i].Refresh)
	}
	_, err := accounts.Refresh(t.Context(), got[0].Refresh)
	require.NoError(t, err)
}

func TestLogoutRevokesOnlyAFamilyOfItsUser(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	asha, ravi := register(t, accounts, "asha"), register(t, accounts, "ravi")
	issued := login(t, accounts, "asha", password)

	require.Equal(t, auth.Unauthenticated(), accounts.Logout(t.Context(), ravi.ID, issued.Refresh))
	next, err := accounts.Refresh(t.Context(), issued.Refresh)
	require.NoError(t, err, "the family of another user is not revoked")

	require.NoError(t, accounts.Logout(t.Context(), asha.ID, next.Refresh))
	_, err = accounts.Refresh(t.Context(), next.Refresh)
	require.Equal(t, auth.Unauthenticated(), err)
	require.NoError(t, accounts.Logout(t.Context(), asha.ID, next.Refresh), "a second time")
	require.NoError(t, accounts.Logout(t.Context(), asha.ID, issued.Refresh), "with a used token")
}

func TestRefreshTokenExpiresAfterItsTTLAndTheLeeway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := newAccounts(t)
		user := register(t, accounts, "asha")
		issued := login(t, accounts, "asha", password)
		advance(auth.DefaultRefreshTTL + auth.Leeway - time.Second)
		next, err := accounts.Refresh(t.Context(), issued.Refresh)
		require.NoError(t, err)
		advance(auth.DefaultRefreshTTL + auth.Leeway)
		_, err = accounts.Refresh(t.Context(), next.Refresh)
		require.Equal(t, auth.Unauthenticated(), err)
		require.NoError(t, accounts.Logout(t.Context(), user.ID, next.Refresh), "an expired token can log out")
	})
}

func TestFamilySurvivesAChangeOfKeys(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	accounts.Tokens = newTokens(t, oldKey)
	register(t, accounts, "asha")
	issued := login(t, accounts, "asha", password)
	accounts.Tokens = newTokens(t, newKey, oldKey)
	next, err := accounts.Refresh(t.Context(), issued.Refresh)
	require.NoError(t, err)
	accounts.Tokens = newTokens(t, newKey)
	_, err = accounts.Refresh(t.Context(), next.Refresh)
	require.NoError(t, err)
	_, err = accounts.Identify(issued.Access)
	requireCode(t, booking.CodeUnauthenticated, err)
	require.False(t, strings.Contains(next.Access, kid(oldKey)))
}
