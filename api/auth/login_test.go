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

func login(t *testing.T, accounts *auth.Accounts, username, password string) auth.IssuedTokens {
	t.Helper()
	issued, err := accounts.Login(t.Context(), username, password, address)
	require.NoError(t, err)
	return issued
}

func TestLoginReturnsTokensOfItsUser(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "Asha")
	for _, name := range []string{"Asha", "asha", "  ASHA "} {
		identity, err := accounts.Identify(login(t, accounts, name, password).Access)
		require.NoError(t, err)
		require.Equal(t, auth.Identity{User: user.ID}, identity)
	}
}

func TestWrongNameAndWrongPasswordAreTheSameError(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	accounts.Logins = nil
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

// The hash takes nearly all of the time, so the test checks that an unknown name needs a
// slot for a hash of the same cost.
func TestUnknownNameTakesAsLongAsAWrongPassword(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := newAccounts(t)
		register(t, accounts, "asha")
		asha, err := accounts.Users.FindUserByName(t.Context(), "asha")
		require.NoError(t, err)
		require.Equal(t, costOf(asha.PasswordHash), costOf(accounts.Hasher.Dummy()))

		require.True(t, accounts.Hasher.TryAcquireSlots(slots()))
		for _, name := range []string{"asha", "nobody", "asha\x00", strings.Repeat("a", 200)} {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			start := time.Now()
			_, err := accounts.Login(ctx, name, "wrong horse", address)
			cancel()
			requireCode(t, booking.CodeUnavailable, err)
			require.Equal(t, 4500*time.Millisecond, time.Since(start), name)
		}
		accounts.Hasher.ReleaseSlots(slots())
		login(t, accounts, "asha", password)
	})
}

// costOf returns a PHC string with its salt and key masked.
func costOf(hash string) string {
	parts := strings.Split(hash, "$")
	for _, i := range []int{4, 5} {
		parts[i] = strings.Repeat("x", len(parts[i]))
	}
	return strings.Join(parts, "$")
}

func TestThrottledLoginRevealsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := newAccounts(t)
		user := register(t, accounts, "asha")
		errs := map[string]error{}
		for _, name := range []string{"asha", "nobody"} {
			for range auth.DefaultLoginFailures {
				_, err := accounts.Login(t.Context(), name, "wrong horse", address)
				requireCode(t, booking.CodeInvalidCredentials, err)
			}
			_, errs[name] = accounts.Login(t.Context(), name, password, address)
			require.Equal(t, time.Minute, retryAfter(t, errs[name]))
		}
		require.Equal(t, errs["nobody"], errs["asha"])
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

func TestStoreErrorIsNotAFailedLogin(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	register(t, accounts, "asha")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 * auth.DefaultLoginFailures {
		_, err := accounts.Login(cancelled, "asha", password, address)
		require.Error(t, err)
		require.NotEqual(t, booking.CodeInvalidCredentials, booking.CodeOf(err))
	}
	login(t, accounts, "asha", password)
}

func TestChangedPasswordRevokesEveryFamily(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	phone, laptop := login(t, accounts, "asha", password), login(t, accounts, "asha", password)
	require.NoError(t, accounts.ChangePassword(t.Context(), user.ID, password, "another horse", "another horse", address))
	for _, issued := range []auth.IssuedTokens{phone, laptop} {
		_, err := accounts.Refresh(t.Context(), issued.Refresh)
		require.Equal(t, auth.Unauthenticated(), err)
	}
	_, err := accounts.Login(t.Context(), "asha", password, address)
	requireCode(t, booking.CodeInvalidCredentials, err)
	login(t, accounts, "asha", "another horse")
}

func TestPasswordChangeNamesEveryInvalidField(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	err := accounts.ChangePassword(t.Context(), user.ID, "", "short", "other", address)
	require.Equal(t, booking.Invalid(map[string]string{
		"old_password": "must not be empty", "password": "must have 8 to 128 characters",
		"password2": "must be the same as password",
	}), err)
}

func TestOfConcurrentPasswordChangesOneSucceeds(t *testing.T) {
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
				t.Errorf("unexpected error: %v", err)
			}
		})
	}
	wait.Wait()
	require.Len(t, won, 1)
	accounts.Logins = nil
	login(t, accounts, "asha", <-won)
}

// hookedUsers is the store and calls before before it saves a refresh token.
type hookedUsers struct {
	booking.Users
	before func()
}

func (u hookedUsers) SaveRefreshToken(ctx context.Context, token booking.RefreshToken) error {
	u.before()
	return u.Users.SaveRefreshToken(ctx, token)
}

func TestLoginConcurrentWithAPasswordChangeFails(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	hooked := *accounts
	hooked.Users = hookedUsers{accounts.Users, func() {
		require.NoError(t, accounts.ChangePassword(t.Context(), user.ID, password, "another horse", "another horse", address))
	}}
	issued, err := hooked.Login(t.Context(), "asha", password, address)
	requireCode(t, booking.CodeInvalidCredentials, err)
	require.Empty(t, issued)
}

func TestLoginConcurrentWithADisablingFails(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	hooked := *accounts
	hooked.Users = hookedUsers{accounts.Users, func() {
		_, err := accounts.Users.SetDisabled(t.Context(), user.ID, true)
		require.NoError(t, err)
	}}
	issued, err := hooked.Login(t.Context(), "asha", password, address)
	requireCode(t, booking.CodeDisabled, err)
	require.Empty(t, issued)
}

func TestLoginConcurrentWithADeletionFails(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	hooked := *accounts
	hooked.Users = hookedUsers{accounts.Users, func() {
		require.NoError(t, accounts.Users.DeleteUser(t.Context(), user.ID, time.Now()))
	}}
	_, err := hooked.Login(t.Context(), "asha", password, address)
	requireCode(t, booking.CodeInvalidCredentials, err)
}

// The right password of a disabled user is not a failed login, and begins no family.
func TestDisabledUserIsNotThrottled(t *testing.T) {
	t.Parallel()
	accounts := newAccounts(t)
	user := register(t, accounts, "asha")
	_, err := accounts.Users.SetDisabled(t.Context(), user.ID, true)
	require.NoError(t, err)
	accounts.Users = hookedUsers{accounts.Users, func() { t.Error("a token was saved") }}
	for range 2 * auth.DefaultLoginFailures {
		_, err := accounts.Login(t.Context(), "asha", password, address)
		requireCode(t, booking.CodeDisabled, err)
	}
	_, err = accounts.Login(t.Context(), "asha", "wrong horse", address)
	requireCode(t, booking.CodeInvalidCredentials, err)
}
