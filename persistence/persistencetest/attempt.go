package persistencetest

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"trainbooking.dev/booking"
)

// long is a window that does not pass during a test, short one that does.
const (
	long  = time.Minute
	short = time.Second
)

// ExerciseAttempts tests an Attempts. open returns an empty one and closes it with t. It may return
// several, which processes use together. Then every other attempt is made by the next of them.
func ExerciseAttempts(t *testing.T, open func(t *testing.T) []booking.Attempts) {
	t.Helper()
	begin := func(t *testing.T) *attemptExercise {
		t.Helper()
		return &attemptExercise{T: t, processes: open(t)}
	}
	run(t, begin, []fact[*attemptExercise]{
		{"AttemptsThatCountReachTheLimit", countedLimited},
		{"AttemptsThatDoNotCountHaveNoLimit", uncountedUnlimited},
		{"EachKeyHasItsOwnCount", keysApart},
		{"AttemptsUnderWayMakeOthersWait", underWayWaits},
		{"WaitEndsWithTheContext", waitEnds},
		{"WaitEndsWhenTheLimitIsReached", waitRefused},
		{"AttemptEndsAfterItsContext", endsAfterContext},
		{"ConcurrentAttemptsDoNotExceedTheLimit", concurrentLimited},
		{"AttemptCountsForItsWindow", countsForWindow},
		{"BehaveAsTheirModel", attemptsAsModel},
	})
}

// attemptExercise is the fixture of a fact about Attempts.
type attemptExercise struct {
	*testing.T
	processes []booking.Attempts
	made      int
}

// begin begins an attempt in the next process.
func (x *attemptExercise) begin(ctx context.Context, key string, limit booking.AttemptLimit) (func(bool) error, error) {
	x.made++
	return x.processes[x.made%len(x.processes)].BeginAttempt(ctx, key, limit)
}

// mustBegin begins an attempt, which must succeed, and returns the function that ends it.
func (x *attemptExercise) mustBegin(key string, limit booking.AttemptLimit) (end func(counts bool)) {
	x.Helper()
	ended, err := x.begin(x.Context(), key, limit)
	require.NoError(x, err)
	return func(counts bool) { require.NoError(x, ended(counts)) }
}

// requireLimited requires that an attempt is refused, and returns RetryAfter.
func (x *attemptExercise) requireLimited(key string, limit booking.AttemptLimit) time.Duration {
	x.Helper()
	end, err := x.begin(x.Context(), key, limit)
	require.Nil(x, end)
	var limited *booking.Error
	require.ErrorAs(x, err, &limited)
	require.Equal(x, booking.CodeRateLimited, limited.Code)
	require.Positive(x, limited.RetryAfter)
	require.LessOrEqual(x, limited.RetryAfter, limit.Window)
	return limited.RetryAfter
}

func countedLimited(x *attemptExercise) {
	limit := booking.AttemptLimit{Max: 4, Window: long}
	for range limit.Max {
		x.mustBegin("a", limit)(true)
	}
	for range 4 { // a refused attempt does not count
		require.Greater(x, x.requireLimited("a", limit), long-timeout)
	}
}

func uncountedUnlimited(x *attemptExercise) {
	limit := booking.AttemptLimit{Max: 2, Window: long}
	for range 10 {
		x.mustBegin("a", limit)(false)
	}
	for range limit.Max {
		x.mustBegin("a", limit)(true)
	}
	x.requireLimited("a", limit)
}

func keysApart(x *attemptExercise) {
	limit := booking.AttemptLimit{Max: 1, Window: long}
	for _, key := range []string{"", "a", "a:b", "a}b", "A", "दिल्ली\x00"} {
		x.mustBegin(key, limit)(true)
		x.requireLimited(key, limit)
	}
}

// waiting begins an attempt in a goroutine and returns its result.
func (x *attemptExercise) waiting(ctx context.Context, key string, limit booking.AttemptLimit) <-chan error {
	x.made++
	attempts, result := x.processes[x.made%len(x.processes)], make(chan error, 1)
	go func() {
		end, err := attempts.BeginAttempt(ctx, key, limit)
		if err == nil {
			err = end(false)
		}
		result <- err
	}()
	return result
}

func underWayWaits(x *attemptExercise) {
	limit := booking.AttemptLimit{Max: 3, Window: long}
	ends := []func(bool){x.mustBegin("a", limit), x.mustBegin("a", limit), x.mustBegin("a", limit)}
	result := x.waiting(x.Context(), "a", limit)
	select {
	case err := <-result:
		require.Fail(x, "it did not wait", "%v", err)
	case <-time.After(3 * tick):
	}
	ends[1](false)
	require.NoError(x, <-result)
	ends[0](true)
	ends[2](true)
	x.mustBegin("a", limit)(true)
	x.requireLimited("a", limit)
}

func waitEnds(x *attemptExercise) {
	limit := booking.AttemptLimit{Max: 1, Window: long}
	end := x.mustBegin("a", limit)
	ctx, cancel := context.WithCancel(x.Context())
	result := x.waiting(ctx, "a", limit)
	select {
	case err := <-result:
		require.Fail(x, "it did not wait", "%v", err)
	case <-time.After(3 * tick):
	}
	cancel()
	require.Error(x, <-result)
	end(false)
	x.mustBegin("a", limit)(false)
}

func waitRefused(x *attemptExercise) {
	limit := booking.AttemptLimit{Max: 1, Window: long}
	end := x.mustBegin("a", limit)
	result := x.waiting(x.Context(), "a", limit)
	select {
	case err := <-result:
		require.Fail(x, "it did not wait", "%v", err)
	case <-time.After(3 * tick):
	}
	end(true)
	require.Equal(x, booking.CodeRateLimited, booking.CodeOf(<-result))
}

// endsAfterContext ends an attempt whose client has closed the connection.
func endsAfterContext(x *attemptExercise) {
	limit := booking.AttemptLimit{Max: 1, Window: long}
	ctx, cancel := context.WithCancel(x.Context())
	end, err := x.begin(ctx, "a", limit)
	require.NoError(x, err)
	cancel()
	require.NoError(x, end(true))
	x.requireLimited("a", limit)
}

func concurrentLimited(x *attemptExercise) {
	limit := booking.AttemptLimit{Max: 10, Window: long}
	codes := together(60, func(i int) booking.Code {
		end, err := x.processes[i%len(x.processes)].BeginAttempt(x.Context(), "a", limit)
		if err == nil {
			err = end(true)
		}
		return booking.CodeOf(err)
	})
	count := map[booking.Code]int{}
	for _, code := range codes {
		count[code]++
	}
	require.Equal(x, map[booking.Code]int{"": 10, booking.CodeRateLimited: 50}, count)
}

// countsForWindow measures both ends of the window, which begins when the attempt ends.
func countsForWindow(x *attemptExercise) {
	limit := booking.AttemptLimit{Max: 2, Window: short}
	first := x.mustBegin("a", limit)
	<-time.After(short / 2)
	before := time.Now()
	first(true)
	x.mustBegin("a", limit)(true)
	after := time.Now()
	require.Less(x, x.requireLimited("a", limit), short-time.Since(after)+clockError)
	require.Eventually(x, func() bool {
		end, err := x.begin(x.Context(), "a", limit)
		return err == nil && end(false) == nil
	}, timeout, tick)
	require.GreaterOrEqual(x, time.Since(before), short-clockError)
}

// attemptsAsModel never begins an attempt that would wait.
func attemptsAsModel(x *attemptExercise) {
	keys := 0
	rapid.Check(x.T, func(r *rapid.T) {
		limit := booking.AttemptLimit{Max: rapid.IntRange(1, 4).Draw(r, "limit"), Window: long}
		counted, ends := 0, []func(bool){}
		keys++
		key := strconv.Itoa(keys)
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			switch {
			case len(ends) > 0 && (counted+len(ends) == limit.Max || rapid.Bool().Draw(r, "end")):
				i := rapid.IntRange(0, len(ends)-1).Draw(r, "which")
				counts := rapid.Bool().Draw(r, "counts")
				ends[i](counts)
				ends = append(ends[:i], ends[i+1:]...)
				if counts {
					counted++
				}
			case counted == limit.Max:
				x.requireLimited(key, limit)
			default:
				ends = append(ends, x.mustBegin(key, limit))
			}
		}
	})
}
