package actors

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

// RequestTimeout is requestTimeout.
const RequestTimeout = requestTimeout

// MaxLogged is maxLogged.
const MaxLogged = maxLogged

// CountChange counts a change of a train.
func CountChange(s *System, id booking.TrainID) { s.changes.add(id) }

// ForgetChanges forgets all changes, as a restart does.
func ForgetChanges(s *System) {
	restarted := newChangeLog()
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	s.changes.position, s.changes.trains = restarted.position, restarted.trains
}

// Retries returns how often attempts of requests were repeated.
func Retries(s *System) float64 {
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.metrics.retries)
	families, err := registry.Gather()
	if err != nil {
		panic(err)
	}
	return families[0].GetMetric()[0].GetCounter().GetValue()
}

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
func NewBatcher[T any](
	partitions int, train func(T) booking.TrainID, flush func(context.Context, []T) ([]error, error),
) Batcher[T] {
	return Batcher[T]{newBatcher("test", writeLimits(partitions), nil, train, flush, unobserved)}
}

// NewLoadBatcher returns a batcher with the limits of a step of loads.
func NewLoadBatcher[T any](
	train func(T) booking.TrainID, flush func(context.Context, []T) ([]error, error),
) Batcher[T] {
	return Batcher[T]{newBatcher("test", stepLimits, nil, train, flush, unobserved)}
}

// PartitionOf returns the partition of a train.
func (b Batcher[T]) PartitionOf(train booking.TrainID) int {
	return slices.Index(b.partitions, b.partition(train))
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

// Refresh reads what has changed in the catalogue.
func Refresh(ctx context.Context, s *System) error { return s.refreshes.wait(ctx) }

// Catalogue is the index of trains.
type Catalogue struct{ *catalogue }

// NewCatalogue returns an empty index.
func NewCatalogue() Catalogue { return Catalogue{newCatalogue()} }

// Apply applies a change.
func (c Catalogue) Apply(change persistence.ChangedTrain, now time.Time) { c.apply(change, now) }

// Load replaces everything.
func (c Catalogue) Load(trains []booking.Train, now time.Time) {
	read := newCatalogue()
	read.add(trains)
	c.replace(read, now)
}

// ApplySchedule applies a change of a schedule.
func (c Catalogue) ApplySchedule(stored persistence.StoredSchedule, now time.Time) {
	c.applySchedule(stored, now)
}

// LoadAll replaces everything.
func (c Catalogue) LoadAll(trains []booking.Train, schedules []persistence.StoredSchedule, now time.Time) {
	read := newCatalogue()
	read.addSchedules(schedules)
	read.add(trains)
	c.replace(read, now)
}

// Find returns a train.
func (c Catalogue) Find(id booking.TrainID, now time.Time) *booking.Train { return c.find(id, now) }

// Expire removes what has passed its time.
func (c Catalogue) Expire(now time.Time) { c.expire(now) }

// OnSale returns the trains that can be booked.
func (c Catalogue) OnSale(from, to string, date, now time.Time) []*booking.Train {
	return c.onSale(from, to, date, now)
}

// Suggest returns the stations that are suggested.
func (c Catalogue) Suggest(prefix string) []booking.Station { return c.suggest(prefix) }

// List returns a page of trains.
func (c Catalogue) List(query booking.TrainQuery, now time.Time) booking.Page[*booking.Train] {
	return c.list(query, now)
}

// Server returns the service that peers call.
func Server(s *System) wire.TrainsServer { return trainsServer{system: s} }

// DecodeResponse decodes the response of a peer to a hold.
func DecodeResponse(encoded *wire.ExecuteResponse) (booking.Hold, error) {
	resp := decodeResponse(booking.TrainID{}, "peer", encoded)
	held, _ := resp.Value.(booking.Hold)
	return held, resp.Err
}

// EncodeTrain, DecodeTrain and EncodeError convert as calls of peers do.
var (
	EncodeTrain = encodeTrain
	DecodeTrain = decodeTrain
	EncodeError = encodeError
)

// StartRequest starts the span of a hold.
func StartRequest(ctx context.Context, train booking.TrainID) (context.Context, func(error)) {
	return startRequest(ctx, activation.Hold{}, train)
}

// StartFlush is startFlush.
var StartFlush = startFlush

// Joined returns an error unless the process is a member of the cluster now.
func (s *System) Joined() error { return s.cluster.Joined() }

// SettleOwn makes departures follow their schedules.
func SettleOwn(ctx context.Context, s *System) { s.settleOwn(ctx) }

// Unsettled returns the departures that do not follow their schedules.
func Unsettled(s *System) []unsettled { return s.catalogue.allUnsettled(time.Now()) }

// OccupyReads takes every slot for reads of passive snapshots.
func OccupyReads(s *System) {
	for range cap(s.passive.slots) {
		s.passive.slots <- struct{}{}
	}
}

// MaxIdleWorkers is maxIdleWorkers.
const MaxIdleWorkers = maxIdleWorkers

// Workers is workers for tests.
type Workers struct{ *workers }

// NewWorkers returns workers whose idle goroutines end with a context.
func NewWorkers(stop context.Context) Workers { return Workers{newWorkers(stop)} }

// Idle returns the number of goroutines that are kept and wait for work.
func (w Workers) Idle() int { return len(w.idle) }
