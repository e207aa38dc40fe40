package persistencetest

import (
	"testing"

	"trainbooking.dev/persistence"
)

// ExerciseStore tests a Store. open returns an empty one and closes it with t.
func ExerciseStore(t *testing.T, open func(t *testing.T) persistence.Store) {
	t.Helper()
	begin := func(t *testing.T) *exercise {
		t.Helper()
		return &exercise{T: t, Store: open(t)}
	}
	for _, facts := range [][]fact[*exercise]{
		trainFacts, fenceFacts, saleFacts, bookingFacts, userFacts, refreshFacts, replyFacts,
	} {
		run(t, begin, facts)
	}
}

// fact is a test that every implementation passes; X is its fixture.
type fact[X any] struct {
	name  string
	check func(X)
}

// run runs each fact as a parallel subtest.
func run[X any](t *testing.T, begin func(t *testing.T) X, facts []fact[X]) {
	t.Helper()
	for _, f := range facts {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			f.check(begin(t))
		})
	}
}

// exercise is the fixture of a fact about a Store.
type exercise struct {
	*testing.T
	persistence.Store
}
