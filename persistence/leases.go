package persistence

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// The times of a lease (RELIABILITY.md 2). A holder serves until LeaseTTL - LeaseMargin after
// it sent the last call that granted or renewed the lease, by its own monotonic clock. The
// margin covers the drift of two clocks over one lease.
const (
	LeaseTTL    = 6 * time.Second
	LeaseRenew  = 2 * time.Second
	LeaseMargin = time.Second
	LeaseCall   = 500 * time.Millisecond // the timeout of a call
)

// Lease is the ownership of a train by the activation Owner in the process at Address. Owner
// is also part of the Guard, by which the store of trains fences.
type Lease struct {
	Train   booking.TrainID
	Address string // host:port
	Owner   uuid.UUID
}

// Holder is the lease that a train has.
type Holder struct {
	Lease
	Left time.Duration // until it expires, unless it is renewed
}

// Leases record which process owns a train. They may be lost with the data of their store.
// Bookings are safe even then, because Store fences too.
type Leases interface {
	// AcquireLeases acquires each lease for LeaseTTL unless it is held, and returns the holder.
	// A lease that its Owner holds already is not renewed. A lease with more than LeaseTTL
	// left, which means that the store's clock has jumped, is removed with ErrConflict, so
	// that the next call can acquire it. With any other error a lease may have been acquired.
	AcquireLeases(ctx context.Context, leases []Lease) ([]Result[Holder], error)
	// RenewLeases renews each lease for LeaseTTL from now and returns one result per lease,
	// in order: nil, ErrFenced if the lease is not held by its Owner, or any other error, with
	// which it may have been renewed. If err is ErrRestarted, there are results nevertheless: the
	// store may have lost writes, of holds too, since the last call. With any other err, any lease
	// may have been renewed.
	RenewLeases(ctx context.Context, leases []Lease) ([]error, error)
	// ReleaseLeases releases those of the leases that are still held. It is idempotent. If err is
	// not nil, any may not have been released.
	ReleaseLeases(ctx context.Context, leases []Lease) error
}
