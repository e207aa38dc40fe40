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

// flaky is a real database whose writes fail at random, in each way that the contract
// of package persistence allows: refused, lost, done but lost, and lost while it is
// still under way.
type flaky struct {
	*sqlite.DB
	late sync.WaitGroup // writes that are still under way
}

var errAway = errors.New("no route to store")

// fault does a write, or fails it. A fenced one may land at any later time.
func (f *flaky) fault(fenced bool, write func() error) error {
	switch n := rand.IntN(100); {
	case n < 2:
		return errAway
	case n < 3:
		return persistence.ErrUnknown
	case n < 5:
		if err := write(); err != nil {
			return err
		}
		<-aWhile()
		return persistence.ErrUnknown
	case n < 7 && fenced:
		f.late.Go(func() {
			<-aWhile()
			_ = write()
		})
		<-aWhile()
		return persistence.ErrUnknown
	}
	return write()
}

// aWhile ends mostly at once, and sometimes when holds have ended.
func aWhile() <-chan time.Time {
	if rand.IntN(3) > 0 {
		return time.After(0)
	}
	return time.After(time.Duration(rand.IntN(int(stressTTL))))
}

// batch is fault for a write with a result for each item.
func batch(f *flaky, write func() ([]error, error)) ([]error, error) {
	answered := make(chan []error, 1)
	err := f.fault(true, func() error {
		results, err := write()
		answered <- results
		return err
	})
	if err != nil {
		return nil, err
	}
	return <-answered, nil
}

func (f *flaky) Book(ctx context.Context, sales []persistence.Sale) ([]error, error) {
	return batch(f, func() ([]error, error) { return f.DB.Book(context.WithoutCancel(ctx), sales) })
}

func (f *flaky) WriteHolds(ctx context.Context, writes []persistence.HoldWrite) ([]error, error) {
	return batch(f, func() ([]error, error) { return f.DB.WriteHolds(context.WithoutCancel(ctx), writes) })
}

func (f *flaky) CancelBooking(ctx context.Context, guard persistence.Guard, id uuid.UUID, at time.Time) error {
	return f.fault(true, func() error { return f.DB.CancelBooking(context.WithoutCancel(ctx), guard, id, at) })
}

func (f *flaky) ChangeTrain(ctx context.Context, guard persistence.Guard, train booking.Train) error {
	return f.fault(true, func() error { return f.DB.ChangeTrain(context.WithoutCancel(ctx), guard, train) })
}

func (f *flaky) DeleteTrain(ctx context.Context, guard persistence.Guard, at time.Time, force bool) error {
	return f.fault(true, func() error { return f.DB.DeleteTrain(context.WithoutCancel(ctx), guard, at, force) })
}

func (f *flaky) CreateTrain(ctx context.Context, train booking.Train) error {
	return f.fault(false, func() error { return f.DB.CreateTrain(ctx, train) })
}

func (f *flaky) Adopt(ctx context.Context, id booking.TrainID, seen int64, owner uuid.UUID) (epoch int64, err error) {
	err = f.fault(false, func() error {
		epoch, err = f.DB.Adopt(ctx, id, seen, owner)
		return err
	})
	return epoch, err
}

func (f *flaky) LoadTrain(
	ctx context.Context, id booking.TrainID, since time.Time,
) (train booking.Train, bookings []booking.Booking, err error) {
	if rand.IntN(50) == 0 {
		return train, nil, errAway
	}
	return f.DB.LoadTrain(ctx, id, since)
}
