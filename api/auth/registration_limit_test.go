package auth_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// limited returns Accounts that allow n registrations per hour from one address.
func limited(t *testing.T, n int) *auth.Accounts {
	t.Helper()
	accounts := newAccounts(t)
	accounts.Registrations = auth.NewRegistrationThrottle(auth.ThrottleOptions{Limit: n})
	return accounts
}

func TestRegistrationsPerAddressAndHourAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		accounts := limited(t, auth.DefaultRegistrations)
		for i := range auth.DefaultRegistrations {
			register(t, accounts, fmt.Sprint("asha", i))
			advance(time.Minute)
		}
		_, err := accounts.Register(t.Context(), registration("ravi"), address)
		require.Equal(t, 40*time.Minute, retryAfter(t, err))
		_, err = accounts.Register(t.Context(), registration("ravi"), "192.0.2.8")
		require.NoError(t, err, "from another address")
		_, err = accounts.CreateAdmin(t.Context(), registration("root"))
		require.NoError(t, err, "the command has no limit")
		login(t, accounts, "asha1", password)

		advance(40 * time.Minute)
		register(t, accounts, "amit")
		_, err = accounts.Register(t.Context(), registration("amit2"), address)
		require.Equal(t, time.Minute, retryAfter(t, err))
	})
}

// usersWith is the store, in which CreateUser fails with an error.
type usersWith struct {
	booking.Users
	err error
}

func (u usersWith) CreateUser(context.Context, booking.User) error { return u.err }

func TestRegistrationCountsUnlessItWasNotExecuted(t *testing.T) {
	t.Parallel()
	cause := errors.New("the store is unreachable")
	for name, c := range map[string]struct {
		counts bool
		err    error
	}{
		"taken":        {true, &booking.Error{Code: booking.CodeAlreadyExists}},
		"unknown":      {true, booking.Unavailable(booking.OutcomeUnknown, time.Second, cause)},
		"timeout":      {true, booking.Timeout(context.Canceled)},
		"internal":     {true, cause},
		"not executed": {false, booking.Unavailable(booking.OutcomeNotExecuted, time.Second, cause)},
		"full":         {false, &booking.Error{Code: booking.CodeStorageFull, Outcome: booking.OutcomeNotExecuted}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			accounts := limited(t, 1)
			store := accounts.Users
			accounts.Users = usersWith{store, c.err}
			_, err := accounts.Register(t.Context(), registration("asha"), address)
			require.ErrorIs(t, err, c.err)
			accounts.Users = store
			_, err = accounts.Register(t.Context(), registration("asha"), address)
			if c.counts {
				requireCode(t, booking.CodeRateLimited, err)
			} else {
				require.NoError(t, err)
			}
		})
	}
}

func TestInvalidRegistrationDoesNotCount(t *testing.T) {
	t.Parallel()
	accounts := limited(t, 1)
	r := registration("asha")
	r.Password2 = "another horse"
	for range 3 {
		_, err := accounts.Register(t.Context(), r, address)
		requireCode(t, booking.CodeInvalidRequest, err)
	}
	register(t, accounts, "asha")
	_, err := accounts.Register(t.Context(), r, address)
	requireCode(t, booking.CodeInvalidRequest, err)
}

// All registrations begin before any has ended, as in a rush for a train.
func TestConcurrentRegistrationsDoNotExceedTheLimit(t *testing.T) {
	t.Parallel()
	accounts := limited(t, auth.DefaultRegistrations)
	var wait sync.WaitGroup
	codes := make(chan booking.Code, 50)
	for i := range cap(codes) {
		wait.Go(func() {
			_, err := accounts.Register(t.Context(), registration(fmt.Sprint("asha", i)), fmt.Sprintf("2001:db8::%x", i+1))
			codes <- booking.CodeOf(err)
		})
	}
	wait.Wait()
	close(codes)
	count := map[booking.Code]int{}
	for code := range codes {
		count[code]++
	}
	require.Equal(t, map[booking.Code]int{"": auth.DefaultRegistrations, booking.CodeRateLimited: 30}, count)
}
