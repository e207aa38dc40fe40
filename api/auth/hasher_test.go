package auth_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// cheap is the minimum cost, for tests of something else.
var cheap = auth.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}

func newHasher(t *testing.T, cost auth.Cost) *auth.Hasher {
	t.Helper()
	hasher, err := auth.NewHasher(cost)
	require.NoError(t, err)
	return hasher
}

func TestHashMatchesOnlyItsPassword(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t, auth.DefaultCost)
	hash, err := hasher.Hash(t.Context(), "correct horse")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$"), hash)
	for password, want := range map[string]bool{
		"correct horse": true, "correct hors": false, "correct horse ": false, "Correct horse": false, "": false,
	} {
		right, err := hasher.Verify(t.Context(), hash, password)
		require.NoError(t, err)
		require.Equal(t, want, right, password)
	}
}

func TestSamePasswordHasADifferentHashEachTime(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t, cheap)
	first, err := hasher.Hash(t.Context(), "correct horse")
	require.NoError(t, err)
	second, err := hasher.Hash(t.Context(), "correct horse")
	require.NoError(t, err)
	require.NotEqual(t, first, second)
}

// The vector is from the reference implementation (phc-winner-argon2, test.c).
func TestHashOfTheReferenceImplementationIsVerified(t *testing.T) {
	t.Parallel()
	const vector = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	right, err := newHasher(t, cheap).Verify(t.Context(), vector, "password")
	require.NoError(t, err)
	require.True(t, right)
}

func TestPasswordMatchesInAnyNormalForm(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t, cheap)
	hash, err := hasher.Hash(t.Context(), "cafe\u0301 noir") // e and a combining acute
	require.NoError(t, err)
	right, err := hasher.Verify(t.Context(), hash, "caf\u00e9 noir") // one letter
	require.NoError(t, err)
	require.True(t, right)
}

func TestHashAfterTheDeadlineIsNotStarted(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t, cheap)
	over, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	_, err := hasher.Hash(over, "correct horse")
	require.ErrorIs(t, err, &booking.Error{Code: booking.CodeUnavailable})
	var unavailable *booking.Error
	require.ErrorAs(t, err, &unavailable)
	require.Equal(t, booking.OutcomeNotExecuted, unavailable.Outcome)
	require.Equal(t, time.Second, unavailable.RetryAfter)
}

// slots is the maximum number of concurrent hashes.
func slots() int64 { return int64(min(4, runtime.GOMAXPROCS(0))) }

func TestHashWaitsForASlotUntilShortlyBeforeTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hasher := newHasher(t, cheap)
		require.True(t, hasher.TryAcquireSlots(slots()))
		require.False(t, hasher.TryAcquireSlots(1))
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := hasher.Hash(ctx, "correct horse")
		require.ErrorIs(t, err, &booking.Error{Code: booking.CodeUnavailable})
		require.Equal(t, 4500*time.Millisecond, time.Since(start))

		time.AfterFunc(time.Second, func() { hasher.ReleaseSlots(1) })
		_, err = hasher.Hash(t.Context(), "correct horse")
		require.NoError(t, err)
	})
}

func TestCostOutOfBoundsIsRejected(t *testing.T) {
	t.Parallel()
	for _, cost := range []auth.Cost{
		{},
		{MemoryKiB: 7, Passes: 1, Lanes: 1},
		{MemoryKiB: 16, Passes: 1, Lanes: 3},
		{MemoryKiB: 64, Passes: 0, Lanes: 1},
		{MemoryKiB: 64, Passes: 17, Lanes: 1},
		{MemoryKiB: 64, Passes: 1, Lanes: 0},
		{MemoryKiB: 256, Passes: 1, Lanes: 17},
		{MemoryKiB: 1 << 31, Passes: 1, Lanes: 1},
	} {
		_, err := auth.NewHasher(cost)
		require.Error(t, err, "%+v", cost)
	}
}

const (
	salt = "c29tZXNhbHQ"                                 // 8 bytes
	key  = "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4" // 32 bytes
)

func TestMalformedHashIsAnInternalError(t *testing.T) {
	t.Parallel()
	hasher := newHasher(t, cheap)
	long := strings.Repeat("A", 88)
	for _, hash := range malformed(long) {
		right, err := hasher.Verify(t.Context(), hash, "password")
		require.False(t, right, hash)
		require.Equal(t, booking.CodeInternal, booking.CodeOf(err), hash)
	}
}

func malformed(long string) []string {
	return []string{
		"", "$", "$$$$$", "password", "argon2id", key,
		"$argon2i$v=19$m=256,t=2,p=1$" + salt + "$" + key,
		"$argon2d$v=19$m=256,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=16$m=256,t=2,p=1$" + salt + "$" + key,
		"$argon2id$m=256,t=2,p=1$" + salt + "$" + key,
		"argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + key,
		"x$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + key + "$",
		"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + key + "\n",
		"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + key + "=",
		"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + key[:42] + "5", // loose last bits
		"$argon2id$v=19$m=256,t=2,p=1$$" + key,
		"$argon2id$v=19$m=256,t=2,p=1$c29tZQ$" + key, // 4 bytes of salt
		"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$",
		"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$c29tZXNhbHQ", // 8 bytes of key
		"$argon2id$v=19$m=256,t=2,p=1$" + long + "$" + key,
		"$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + long,
		"$argon2id$v=19$t=2,m=256,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=0256,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=+256,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m= 256,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=0x100,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=-1,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=2$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=2,p=1,q=1$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=0,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=2,p=0$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=2,p=257$" + salt + "$" + key,
		"$argon2id$v=19$m=4294967295,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=18446744073709551616,t=2,p=1$" + salt + "$" + key,
		"$argon2id$v=19$m=256,t=4294967295,p=1$" + salt + "$" + key,
	}
}

func FuzzPHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=256,t=2,p=1$" + salt + "$" + key)
	for _, hash := range malformed(strings.Repeat("A", 88)) {
		f.Add(hash)
	}
	f.Fuzz(func(t *testing.T, s string) {
		again, cost, err := auth.ReformatPHC(s)
		if err != nil {
			require.Equal(t, "the stored hash is not an argon2id PHC string within bounds", err.Error())
			return
		}
		require.Equal(t, s, again)
		_, err = auth.NewHasher(cost)
		require.NoError(t, err)
	})
}
