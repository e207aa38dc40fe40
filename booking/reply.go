package booking

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Reply is the HTTP reply to a request with an Idempotency-Key.
type Reply struct {
	Status   int
	Location string // header, may be empty
	Body     []byte
}

// Reservation is the use of an Idempotency-Key by a request, from its first attempt until
// ExpiresAt.
type Reservation struct {
	ID          uuid.UUID // of the attempt that may execute the request, random
	RequestHash [32]byte  // of method, path and body
	Until       time.Time // when another attempt may execute it; zero: now
	ExpiresAt   time.Time // when the key is free again; the same for every attempt
	Reply       *Reply    // nil: none yet
}

// Replies stores the reservations of Idempotency-Keys, by user and key, and the replies to their
// requests. Each store implements it. It is safe for concurrent use.
type Replies interface {
	// ReserveKey returns the reservation that the key has at now; times are whole microseconds.
	// That is wanted if the key was free or its reservation has expired. It is wanted with the
	// stored ExpiresAt if another attempt at the same request has ended without a reply. So the
	// caller may execute the request if the ID is that of wanted. A reservation is at least as
	// durable as what the store writes after it. It deletes expired reservations.
	ReserveKey(ctx context.Context, user uuid.UUID, key string, wanted Reservation, now time.Time) (Reservation, error)
	// ReleaseKey ends an attempt: it stores the reply, or, if that is nil, lets the next attempt
	// execute the request. It does nothing if another attempt may have begun.
	ReleaseKey(ctx context.Context, user uuid.UUID, key string, attempt uuid.UUID, reply *Reply) error
}
