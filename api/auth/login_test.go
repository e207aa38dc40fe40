package auth_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

func login(t *testing.T, accounts *auth.Accounts, username, password string) auth.Pair {
	t.Helper()
	pair, err := accounts.Login(t.Context(), username, password, address)
	require.NoError(t, err)
	return pair
}

func TestPairOfALoginIsOfItsUser(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "Asha")
	for _, name := range []string{"Asha", "asha", "  ASHA "} {
		identity, err := accounts.Identify(login(t, accounts, name, password).Access)
		require.NoError(t, err)
		require.Equal(t, auth.Identity{User: user.ID}, identity)
	}
}

func TestWrongNameAndWrongPasswordAreOneAnswer(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	accounts.Throttle = nil
	register(t, accounts, "asha")
	want := &booking.Error{Code: booking.CodeInvalidCredentials, Message: "Wrong username or password"}
	for _, test := range [][2]string{
		{"asha", "wrong horse"},
		{"asha", password + " "},
		{"asha", "x"},
		{"asha", strings.Repeat("x", 1<<16)},
		{"nobody", password},
		{"asha\x00", password},
		{"\xff", password},
		{strings.Repeat("a", 1<<16), password},
		{"' OR 1=1 --", password},
		{"asha@example.org", password},
		{" ", password},
	} {
		_, err := accounts.Login(t.Context(), test[0], test[1], address)
		require.Equal(t, want, err)
	}
}

func TestEmptyLoginNamesItsFields(t *testing.T) {
	t.Parallel()
	_, err := newAccounts(t).Login(t.Context(), "", "", address)
	require.Equal(t, booking.Invalid(map[string]string{
		"username": "must not be empty", "password": "must not be empty",
	}), err)
}

// All but the hash is a thousandth of the time, and too little to be measured here:
// that an unknown name takes a turn to hash, and at the cost of any, is the proof.
func TestUnknownNameCostsAsMuchAsAWrongPassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := newAccounts(t)
		register(t, accounts, "asha")
		asha, err := accounts.Users.FindUserByName(t.Context(), "asha")
		require.NoError(t, err)
		require.Equal(t, costOf(asha.PasswordHash), costOf(accounts.Hasher.Nobody()))

		require.True(t, accounts.Hasher.TakeTurns(turns()))
		for _, name := range []string{"asha", "nobody", "asha\x00", strings.Repeat("a", 200)} {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			start := time.Now()
			_, err := accounts.Login(ctx, name, "wrong horse", address)
			cancel()
			requireCode(t, booking.CodeUnavailable, err)
			require.Equal(t, 4500*time.Millisecond, time.Since(start), name)
		}
		accounts.Hasher.GiveTurns(turns())
		login(t, accounts, "asha", password)
	})
}

// costOf returns a PHC string with letters of base64 blotted out.
func costOf(hash string) string {
	parts := strings.Split(hash, "$")
	for _, i := range []int{4, 5} {
		parts[i] = strings.Repeat("x", len(parts[i]))
	}
	return strings.Join(parts, "$")
}

func TestThrottledAccountTellsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := newAccounts(t)
		user := register(t, accounts, "asha")
		answers := map[string]error{}
		for _, name := range []string{"asha", "nobody"} {
			for range auth.DefaultLoginFailures {
				_, err := accounts.Login(t.Context(), name, "wrong horse", address)
				requireCode(t, booking.CodeInvalidCredentials, err)
			}
			_, answers[name] = accounts.Login(t.Context(), name, password, address)
			require.Equal(t, time.Minute, retryAfter(t, answers[name]))
		}
		require.Equal(t, answers["nobody"], answers["asha"])
		err := accounts.ChangePassword(t.Context(), user.ID, password, "another horse", "another horse", address)
		require.Equal(t, time.Minute, retryAfter(t, err))
		_, err = accounts.Login(t.Context(), "asha", password, "192.0.2.8")
		require.NoError(t, err, "from another address")
		advance(time.Minute)
		login(t, accounts, "asha", password)
	})
}

func TestWrongOldPasswordsCountAsFailedLogins(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	for range auth.DefaultLoginFailures {
		err := accounts.ChangePassword(t.Context(), user.ID, "wrong horse", password, password, address)
		requireCode(t, booking.CodeInvalidCredentials, err)
	}
	_, err := accounts.Login(t.Context(), "ASHA", password, address)
	requireCode(t, booking.CodeRateLimited, err)
}

func TestFailureOfTheStoreIsNoFailedLogin(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	register(t, accounts, "asha")
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 * auth.DefaultLoginFailures {
		_, err := accounts.Login(gone, "asha", password, address)
		require.Error(t, err)
		require.NotEqual(t, booking.CodeInvalidCredentials, booking.CodeOf(err))
	}
	login(t, accounts, "asha", password)
}

func TestChangedPasswordEndsEveryFamily(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	phone, laptop := login(t, accounts, "asha", password), login(t, accounts, "asha", password)
	require.NoError(t, accounts.ChangePassword(t.Context(), user.ID, password, "another horse", "another horse", address))
	for _, pair := range []auth.Pair{phone, laptop} {
		_, err := accounts.Refresh(t.Context(), pair.Refresh)
		require.Equal(t, auth.Unauthenticated(), err)
	}
	_, err := accounts.Login(t.Context(), "asha", password, address)
	requireCode(t, booking.CodeInvalidCredentials, err)
	login(t, accounts, "asha", "another horse")
}

func TestChangeOfPasswordNamesEveryFieldAtFault(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	err := accounts.ChangePassword(t.Context(), user.ID, "", "short", "other", address)
	require.Equal(t, booking.Invalid(map[string]string{
		"old_password": "must not be empty", "password": "must have 8 to 128 characters",
		"password2": "must be the same as password",
	}), err)
}

func TestOfChangesAtOnceOneWins(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	var wait sync.WaitGroup
	won := make(chan string, 8)
	for i := range cap(won) {
		wait.Go(func() {
			next := "another horse " + string(rune('a'+i))
			err := accounts.ChangePassword(t.Context(), user.ID, password, next, next, address)
			if err == nil {
				won <- next
				return
			}
			if code := booking.CodeOf(err); code != booking.CodeInvalidCredentials && code != booking.CodeRateLimited {
				t.Errorf("loser got %v", err)
			}
		})
	}
	wait.Wait()
	require.Len(t, won, 1)
	accounts.Throttle = nil
	login(t, accounts, "asha", <-won)
}

// pausingUsers is the store with a pause before the first refresh token is saved.
type pausingUsers struct {
	booking.Users
	before func()
}

func (u pausingUsers) SaveRefreshToken(ctx context.Context, token booking.RefreshToken) error {
	u.before()
	return u.Users.SaveRefreshToken(ctx, token)
}

func TestLoginThatAChangeOfPasswordOvertookFails(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	overtaken := *accounts
	overtaken.Users = pausingUsers{accounts.Users, func() {
		require.NoError(t, accounts.ChangePassword(t.Context(), user.ID, password, "another horse", "another horse", address))
	}}
	pair, err := overtaken.Login(t.Context(), "asha", password, address)
	requireCode(t, booking.CodeInvalidCredentials, err)
	require.Empty(t, pair)
}
