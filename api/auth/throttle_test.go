package auth_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

const (
	account = "asha"
	address = "192.0.2.7"
)

var errStore = errors.New("the store is unreachable")

func wrong() (bool, error)   { return true, nil }
func correct() (bool, error) { return false, nil }
func broken() (bool, error)  { return false, errStore }

func newThrottle(limit int) *auth.Throttle {
	return auth.NewLoginThrottle(auth.ThrottleOptions{Limit: limit})
}

// advance lets time pass, that of a synctest bubble if the test is in one.
func advance(d time.Duration) { <-time.After(d) }

func retryAfter(t *testing.T, err error) time.Duration {
	t.Helper()
	var limited *booking.Error
	require.ErrorAs(t, err, &limited)
	require.Equal(t, booking.CodeRateLimited, limited.Code)
	return limited.RetryAfter
}

func TestTenthFailureInAMinuteReachesTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle(auth.DefaultLoginFailures)
		for range 10 {
			err := throttle.Try(t.Context(), account, address, wrong)
			require.NoError(t, err)
			advance(time.Second)
		}
		checked := false
		err := throttle.Try(t.Context(), account, address, func() (bool, error) { checked = true; return false, nil })
		require.Equal(t, 50*time.Second, retryAfter(t, err))
		require.False(t, checked, "even a correct password is not checked")

		advance(retryAfter(t, err) - time.Nanosecond)
		err = throttle.Try(t.Context(), account, address, correct)
		require.Equal(t, time.Nanosecond, retryAfter(t, err))
		advance(time.Nanosecond)
		require.NoError(t, throttle.Try(t.Context(), account, address, correct))
	})
}

func TestLimitIsPerAccountAndAddress(t *testing.T) {
	t.Parallel()
	throttle := newThrottle(1)
	err := throttle.Try(t.Context(), "Asha", "2001:db8:1:2::1", wrong)
	require.NoError(t, err)
	for _, same := range [][2]string{
		{"Asha", "2001:db8:1:2::1"},
		{" ASHA ", "2001:db8:1:2::1"},
		{"asha", "2001:db8:1:2:ffff::9"},
		{"asha", "2001:db8:1:2::1%eth0"},
	} {
		err := throttle.Try(t.Context(), same[0], same[1], correct)
		require.Equal(t, booking.CodeRateLimited, booking.CodeOf(err), same)
	}
	for _, other := range [][2]string{
		{"asha2", "2001:db8:1:2::1"}, {"asha", "2001:db8:1:3::1"}, {"asha", address}, {"asha", ""}, {"", ""},
	} {
		err := throttle.Try(t.Context(), other[0], other[1], correct)
		require.NoError(t, err, other)
	}
}

func TestNetworkIsTheRangeOfOneClient(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7",
		"2001:db8::1": "2001:db8::/64", "fe80::1%eth0": "fe80::/64",
		"": "", "@": "@", "192.0.2.7:80": "192.0.2.7:80",
	} {
		require.Equal(t, want, auth.Network(address))
	}
}

func TestThrottleOfZeroIsOff(t *testing.T) {
	t.Parallel()
	for _, throttle := range []*auth.Throttle{nil, newThrottle(0)} {
		for range 100 {
			require.NoError(t, throttle.Try(t.Context(), account, address, wrong))
		}
	}
}

func TestConcurrentGuessesDoNotExceedTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle(10)
		checked, limited := guess(t, 200, func(int) *auth.Throttle { return throttle })
		require.Equal(t, 10, checked)
		require.Equal(t, 190, limited)
	})
}

// guess makes wrong guesses, each of which begins before any has ended.
func guess(t *testing.T, guesses int, throttle func(n int) *auth.Throttle) (checked, limited int) {
	t.Helper()
	var mu sync.Mutex
	var wait sync.WaitGroup
	for n := range guesses {
		wait.Go(func() {
			err := throttle(n).Try(t.Context(), account, address, func() (bool, error) {
				advance(20 * time.Millisecond)
				mu.Lock()
				defer mu.Unlock()
				checked++
				return true, nil
			})
			mu.Lock()
			defer mu.Unlock()
			if booking.CodeOf(err) == booking.CodeRateLimited {
				limited++
			}
		})
	}
	wait.Wait()
	return checked, limited
}

func TestConcurrentCorrectPasswordsAllPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle(3)
		var wait sync.WaitGroup
		for range 50 {
			wait.Go(func() {
				require.NoError(t, throttle.Try(t.Context(), account, address, func() (bool, error) {
					advance(20 * time.Millisecond)
					return false, nil
				}))
			})
		}
		wait.Wait()
		require.Zero(t, throttle.Len())
	})
}

func TestWaitEndsWithTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle(1)
		end := make(chan struct{})
		go func() {
			_ = throttle.Try(t.Context(), account, address, func() (bool, error) { <-end; return false, nil })
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := throttle.Try(ctx, account, address, correct)
		require.Equal(t, booking.CodeUnavailable, booking.CodeOf(err))
		close(end)
	})
}

func TestCheckThatPanicsCountsAsAFailure(t *testing.T) {
	t.Parallel()
	throttle := newThrottle(1)
	require.Panics(t, func() {
		_ = throttle.Try(t.Context(), account, address, func() (bool, error) { panic("a bug") })
	})
	err := throttle.Try(t.Context(), account, address, correct)
	require.Equal(t, booking.CodeRateLimited, booking.CodeOf(err))
}

func TestNumberOfEntriesIsLimitedAndTheyExpire(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle(1)
		try := func(name string) error {
			err := throttle.Try(t.Context(), name, address, wrong)
			return err
		}
		require.NoError(t, try(account))
		for i := range auth.MaxIdle - 1 {
			require.NoError(t, try(fmt.Sprint(i)))
		}
		require.Equal(t, booking.CodeRateLimited, booking.CodeOf(try(account)), "nothing is evicted below the limit")
		require.NoError(t, try("one more"))
		require.Equal(t, auth.MaxIdle, throttle.Len())
		advance(time.Minute)
		require.NoError(t, try(account))
		require.Equal(t, 1, throttle.Len())
	})
}

// Entries with running checks must not evict idle ones, because an attacker can keep many
// requests open.
func TestRunningChecksEvictNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		throttle := newThrottle(1)
		err := throttle.Try(t.Context(), account, address, wrong)
		require.NoError(t, err)
		end := make(chan struct{})
		var wait sync.WaitGroup
		for i := range 1000 {
			wait.Go(func() {
				err := throttle.Try(t.Context(), fmt.Sprint(i), address, func() (bool, error) { <-end; return false, errStore })
				require.ErrorIs(t, err, errStore)
			})
		}
		synctest.Wait()
		require.Equal(t, 1001, throttle.Len())
		close(end)
		wait.Wait()
		require.Equal(t, 1, throttle.Len())
		err = throttle.Try(t.Context(), account, address, correct)
		require.Equal(t, booking.CodeRateLimited, booking.CodeOf(err))
	})
}

// step is one attempt, some time after the one before it.
type step struct {
	Pause   time.Duration
	Name    string
	Outcome string
}

var steps = rapid.SliceOf(rapid.Custom(func(r *rapid.T) step {
	return step{
		Pause:   time.Duration(rapid.IntRange(0, 40).Draw(r, "seconds")) * time.Second,
		Name:    rapid.SampledFrom([]string{"a", "b", "c"}).Draw(r, "name"),
		Outcome: rapid.SampledFrom([]string{"wrong", "correct", "error"}).Draw(r, "outcome"),
	}
}))

// The model stores every failure and counts those of the last minute. The steps are drawn
// first, because rapid does not run inside a synctest bubble.
func TestThrottleBehavesAsItsModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		limit := rapid.IntRange(1, 4).Draw(r, "limit")
		drawn := steps.Draw(r, "steps")
		var got, want []string
		synctest.Test(t, func(t *testing.T) {
			throttle, model := newThrottle(limit), map[string][]time.Time{}
			checks := map[string]func() (bool, error){"wrong": wrong, "correct": correct, "error": broken}
			for _, s := range drawn {
				advance(s.Pause)
				counts := false
				err := throttle.Try(t.Context(), s.Name, address, func() (_ bool, err error) {
					counts, err = checks[s.Outcome]()
					return counts, err
				})
				got = append(got, describe(counts, err))
				want = append(want, expect(model, limit, s))
			}
		})
		require.Equal(r, want, got)
	})
}

func describe(counts bool, err error) string {
	var limited *booking.Error
	switch {
	case errors.As(err, &limited):
		return "wait " + limited.RetryAfter.String()
	case err != nil:
		return "error"
	case counts:
		return "wrong"
	}
	return "correct"
}

func expect(failures map[string][]time.Time, limit int, s step) string {
	now := time.Now()
	recent := slices.DeleteFunc(slices.Clone(failures[s.Name]), func(at time.Time) bool {
		return now.Sub(at) >= time.Minute
	})
	if len(recent) >= limit {
		return "wait " + (time.Minute - now.Sub(recent[0])).String()
	}
	if s.Outcome == "wrong" {
		failures[s.Name] = append(failures[s.Name], now)
	}
	return s.Outcome
}
