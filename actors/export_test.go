package actors

import (
	"context"
	"time"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
)

// RequestTimeout is requestTimeout.
const RequestTimeout = requestTimeout

// PanicOnce sends the train a request that makes its actor panic, and then another one.
func PanicOnce(ctx context.Context, s *System, id booking.TrainID) error {
	s.attemptLocal(id, newRequest(hooked{ctx, func() { panic("a bug") }}, nothing(id), time.Now()))
	_, _, err := sendRequest[empty](ctx, s, id, nothing(id))
	return refusedAsExpected(err)
}

// nothing is a command without an effect.
func nothing(id booking.TrainID) activation.Command {
	return activation.Release{HoldRef: booking.HoldRef{Train: id, Hold: booking.NewHoldID(id)}}
}

func refusedAsExpected(err error) error {
	if booking.CodeOf(err) == booking.CodeSeatNotLocked {
		return nil
	}
	return err
}

// hooked is a context that calls a function when the actor looks whether it has ended.
type hooked struct {
	context.Context
	hook func()
}

func (c hooked) Err() error {
	c.hook()
	return c.Context.Err()
}

// Batcher is batcher for tests.
type Batcher[T any] struct{ *batcher[T] }

// NewBatcher returns a batcher that keeps no metrics.
func NewBatcher[T any](flush func(context.Context, []T) ([]error, error)) Batcher[T] {
	return Batcher[T]{newBatcher("test", writeLimits, flush, func(int, time.Duration, time.Duration) {})}
}

// Add queues an item.
func (b Batcher[T]) Add(item T, done func(error)) { b.add(context.Background(), item, done) }

// Wait returns when nothing is queued or in flight.
func (b Batcher[T]) Wait() { b.wait() }

// ErrQueueAge is errQueueAge.
var ErrQueueAge = errQueueAge

// Block blocks the train's actor until release is closed.
func Block(ctx context.Context, s *System, id booking.TrainID, release <-chan struct{}) error {
	return refusedAsExpected(s.attemptLocal(id, newRequest(hooked{ctx, func() { <-release }}, nothing(id), time.Now())).Err)
}

// Halt halts the present activation of a train.
func Halt(s *System, id booking.TrainID) {
	s.activations.mu.Lock()
	defer s.activations.mu.Unlock()
	if a := s.activations.active[id]; a != nil {
		s.actors.Root.Send(a.pid, activation.Stop{})
	}
}

// ReconcileWhile reconciles the catalogue. It calls meanwhile after it has read the store.
func ReconcileWhile(ctx context.Context, s *System, meanwhile func()) error {
	before := s.catalogue.begin()
	trains, err := s.store.ListTrains(ctx)
	meanwhile()
	s.catalogue.reconcile(before, trains)
	return err
}

// DeleteFromPeer handles the update of a peer that has deleted a train.
func DeleteFromPeer(s *System, train *booking.Train) { s.catalogue.removeOlder(train) }

// Server returns the service that peers call.
func Server(s *System) wire.TrainsServer { return trainsServer{system: s} }

// DecodeResponse decodes the response of a peer to a hold.
func DecodeResponse(encoded *wire.ExecuteResponse) (booking.Hold, error) {
	resp := decodeResponse(booking.TrainID{}, "peer", encoded)
	held, _ := resp.Value.(booking.Hold)
	return held, resp.Err
}

// EncodeTrain and DecodeTrain convert trains as calls of peers do.
var (
	EncodeTrain = encodeTrain
	DecodeTrain = decodeTrain
)

// StartRequest starts the span of a hold.
func StartRequest(ctx context.Context, train booking.TrainID) (context.Context, func(error)) {
	return startRequest(ctx, activation.Hold{}, train)
}

// StartFlush is startFlush.
var StartFlush = startFlush
