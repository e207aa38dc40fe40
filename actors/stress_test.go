package actors_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/actors"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/sqlite"
)

const (
	stressTime  = 4 * time.Second
	stressTTL   = 80 * time.Millisecond
	stressSeats = 6
)

// TestPromisesHoldUnderStress lets users and an operator do everything at once, on real
// time and a real database that fails, while trains lose their activations. What the
// clients were told must fit together (RELIABILITY.md 1).
func TestPromisesHoldUnderStress(t *testing.T) {
	t.Parallel()
	db, err := sqlite.Open(t.Context(), t.TempDir(), sqlite.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	require.NoError(t, db.Migrate(t.Context()))
	store := &flaky{DB: db}
	w := &world{
		history: newHistory(), store: store, users: []uuid.UUID{uuid.New(), uuid.New(), uuid.New(), uuid.New()},
		System: actors.New(actors.Options{
			Store: store, Holds: store, Rules: booking.HoldRules{TTL: stressTTL, MaxSeats: 3},
		}),
	}
	require.NoError(t, w.Start(t.Context()))
	for range 3 {
		w.trains = append(w.trains, booking.NewTrainID())
		w.put(w.trains[len(w.trains)-1])
	}

	ctx, cancel := context.WithTimeout(t.Context(), stressTime)
	defer cancel()
	var running sync.WaitGroup
	for _, user := range w.users {
		running.Go(func() { w.repeat(ctx, func() { w.surprise(user) }) })
		for range 3 { // one user on several devices
			running.Go(func() { w.repeat(ctx, func() { w.buy(user) }) })
		}
	}
	running.Go(func() { w.repeat(ctx, w.operate) })
	running.Go(func() { w.repeat(ctx, w.look) })
	running.Go(func() {
		w.repeat(ctx, func() {
			actors.Halt(w.System, w.trains[rand.IntN(len(w.trains))])
			<-time.After(time.Duration(rand.IntN(int(20 * time.Millisecond))))
		})
	})
	running.Wait()

	require.NoError(t, w.Stop(t.Context()))
	store.late.Wait()
	w.doubles()
	w.limits(3)
	w.stands(t)
	require.Empty(t, w.wrong)
	require.Greater(t, len(w.told), 20, "else nothing was tried")
}

// world is the service with those who use it. The last train is deleted and comes back.
type world struct {
	*actors.System
	*history
	store  *flaky
	users  []uuid.UUID
	trains []booking.TrainID
}

func (w *world) repeat(ctx context.Context, do func()) {
	for ctx.Err() == nil {
		do()
		<-time.After(time.Duration(rand.IntN(int(4 * time.Millisecond))))
	}
}

// insist asks until the answer is a definite one. After not_executed, undone must find
// nothing done (I5), as long as no earlier attempt of the same request is unknown.
func (w *world) insist(ask func(context.Context) error, undone func() bool) error {
	unknown := false
	for {
		patience := 5 * time.Second
		if rand.IntN(20) == 0 {
			patience = time.Duration(rand.IntN(int(3 * time.Millisecond))) // a client that goes
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := ask(ctx)
		cancel()
		e, _ := errors.AsType[*booking.Error](err)
		switch {
		case err != nil && e == nil:
			w.accuse("not an error for clients: %v", err)
			return err
		case err == nil || e.Outcome == "":
			return err
		case e.Outcome == booking.OutcomeUnknown:
			unknown = true
		case !unknown && undone != nil && !undone():
			w.accuse("executed all the same: %v", err)
		}
	}
}
