package persistence

import (
	"context"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// The times of a lease (RELIABILITY.md 2). A holder that has not been told otherwise
// serves until LeaseTTL - LeaseMargin after it sent the call that was granted, by its
// own monotonic clock; the margin covers the drift of two clocks over one lease.
const (
	LeaseTTL    = 6 * time.Second
	LeaseRenew  = 2 * time.Second
	LeaseMargin = time.Second
	LeaseCall   = 500 * time.Millisecond // the longest that one call may take
)

// Lease says that the activation Owner, of the process that peers reach at Address,
// owns a train. Owner is also the Guard's: the store of trains fences by it.
type Lease struct {
	Train   booking.TrainID
	Address string // host:port
	Owner   uuid.UUID
}

// Leases say which process owns a train, for as long as the store lasts: nothing about
// bookings rests on them. They only decide who tries.
type Leases interface {
	// AcquireLease takes the lease for LeaseTTL unless another holds it, and returns who
	// holds it now. Taking one's own again is no renewal: it stands as it was granted
	// first. A lease with more time left than LeaseTTL cannot be (the store's clock has
	// jumped): it is removed and ErrConflict is returned, so that the next try finds
	// none. With any other error it may have been taken.
	AcquireLease(ctx context.Context, lease Lease) (holder Lease, err error)
	// RenewLeases gives each of the leases LeaseTTL from now and returns one result for
	// each, in order: nil, or ErrFenced when another or nobody holds it. With a non-nil
	// error any may have been renewed.
	RenewLeases(ctx context.Context, leases []Lease) ([]error, error)
	// ReleaseLease gives the lease up if it is still held. Idempotent.
	ReleaseLease(ctx context.Context, lease Lease) error
}
