package persistencetest

import (
	"testing"

	"trainbooking.dev/persistence"
)

// ExerciseStore checks every fact about a Store. open returns an empty one that is
// closed by the test's cleanup.
func ExerciseStore(t *testing.T, open func(t *testing.T) persistence.Store) {
	t.Helper()
	begin := func(t *testing.T) *exercise {
		t.Helper()
		return &exercise{T: t, Store: open(t)}
	}
	for _, facts := range [][]fact[*exercise]{
		trainFacts, fenceFacts, bookingFacts, bookingListFacts, userFacts, refreshFacts, replyFacts,
	} {
		run(t, begin, facts)
	}
}

// fact is something that is true of every implementation; X is the checking of it.
type fact[X any] struct {
	name  string
	check func(X)
}

// run checks each fact in a subtest of its own.
func run[X any](t *testing.T, begin func(t *testing.T) X, facts []fact[X]) {
	t.Helper()
	for _, f := range facts {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.check(begin(t))
		})
	}
}

// exercise is the checking of one fact.
type exercise struct {
	*testing.T
	persistence.Store
}
