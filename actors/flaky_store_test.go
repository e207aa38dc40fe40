package actors_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/sqlite"
)

// flaky is a SQLite database whose writes fail at random in every way that package
// persistence allows: not executed, unknown and not executed, unknown and executed, unknown
// and executed later.
type flaky struct {
	*sqlite.DB
	late sync.WaitGroup // writes that will be executed later
}

var errUnreachable = errors.New("no route to store")

// fault executes a write or makes it fail. A fenced write may be executed at any later time.
func (f *flaky) fault(fenced bool, write func() error) error {
	switch n := rand.IntN(100); {
	case n < 2:
		return errUnreachable
	case n < 3:
		return persistence.ErrUnknown
	case n < 5:
		if err := write(); err != nil {
			return err
		}
		<-delay()
		return persistence.ErrUnknown
	case n < 7 && fenced:
		f.late.Go(func() {
			<-delay()
			_ = write()
		})
		<-delay()
		return persistence.ErrUnknown
	}
	return write()
}

// delay mostly ends at once, and sometimes when holds have expired.
func delay() <-chan time.Time {
	if rand.IntN(3) > 0 {
		return time.After(0)
	}
	return time.After(time.Duration(rand.IntN(int(stressTTL))))
}

// batch is fault for a write that returns an error for each item.
func batch(f *flaky, write func() ([]error, error)) ([]error, error) {
	executed := make(chan []error, 1)
	err := f.fault(true, func() error {
		results, err := write()
		executed <- results
		return err
	})
	if err != nil {
		return nil, err
	}
	return <-executed, nil
}

func (f *flaky) Book(ctx context.Context, sales []persistence.Sale) ([]error, error) {
	return batch(f, func() ([]error, error) { return f.DB.Book(context.WithoutCancel(ctx), sales) })
}

func (f *flaky) WriteHolds(ctx context.Context, writes []persistence.HoldWrite) ([]error, error) {
	return batch(f, func() ([]error, error) { return f.DB.WriteHolds(context.WithoutCancel(ctx), writes) })
}

func (f *flaky) CancelBooking(
	ctx context.Context, guard persistence.Guard, id uuid.UUID, at time.Time, by booking.Canceller,
) error {
	return f.fault(true, func() error { return f.DB.CancelBooking(context.WithoutCancel(ctx), guard, id, at, by) })
}

func (f *flaky) ChangeTrain(ctx context.Context, guard persistence.Guard, train booking.Train) error {
	return f.fault(true, func() error { return f.DB.ChangeTrain(context.WithoutCancel(ctx), guard, train) })
}

func (f *flaky) DeleteTrain(ctx context.Context, guard persistence.Guard, deletion persistence.Deletion) error {
	return f.fault(true, func() error { return f.DB.DeleteTrain(context.WithoutCancel(ctx), guard, deletion) })
}

func (f *flaky) CreateTrain(ctx context.Context, train booking.Train) error {
	return f.fault(false, func() error { return f.DB.CreateTrain(ctx, train) })
}

func (f *flaky) Adopt(ctx context.Context, activations []persistence.Adoption) (results []error, err error) {
	err = f.fault(false, func() error {
		results, err = f.DB.Adopt(ctx, activations)
		return err
	})
	return results, err
}

func (f *flaky) LoadTrains(
	ctx context.Context, trains []booking.TrainID, became []uuid.UUID,
) ([]persistence.Result[persistence.LoadedTrain], error) {
	if rand.IntN(50) == 0 {
		return nil, errUnreachable
	}
	return f.DB.LoadTrains(ctx, trains, became)
}
