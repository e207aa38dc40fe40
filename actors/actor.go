package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/uuid"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence"
)

// trainActor runs the state machine of one activation of one train: it delivers the events and
// executes the effects. Only its mailbox touches its fields. Store calls run off the actor, and
// their results are events.
type trainActor struct {
	system  *System
	train   *activeTrain
	self    *actor.PID
	machine *activation.Machine
	started time.Time       // when the load began
	loading context.Context // of the calls of the load
	loaded  context.CancelFunc
	timer   *time.Timer
	closing *activation.Close // nil after a panic
}

func newTrainActor(s *System, train *activeTrain) *trainActor {
	return &trainActor{system: s, train: train, machine: activation.New(activation.Options{
		Guard: persistence.Guard{Train: train.id, Owner: uuid.New()}, Rules: s.rules, Handoff: train.handoff,
	})}
}

// Receive handles one message without blocking.
func (t *trainActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		t.start(ctx.Self())
	case *request:
		m.begun.Store(true)
		t.handle(activation.Arrived{Request: &m.Request})
	case activation.Stop:
		t.loaded() // it waits for no lease any more
		t.handle(m)
	case activation.Event:
		t.handle(m)
	case *actor.Stopped:
		t.stopped()
	}
}

func (t *trainActor) start(self *actor.PID) {
	t.self, t.started = self, time.Now()
	t.loading, t.loaded = context.WithTimeout(context.Background(), loadTimeout)
	t.handle(activation.Start{})
}

func (t *trainActor) handle(e activation.Event) {
	for _, effect := range t.machine.Handle(time.Now(), e) {
		t.execute(effect)
	}
}

func (t *trainActor) send(message any) { t.system.actors.Root.Send(t.self, message) }

// execute executes an effect, or begins to.
func (t *trainActor) execute(e activation.Effect) {
	s := t.system
	switch e := e.(type) {
	case activation.Reply:
		e.To.Respond(e.Response)
	case activation.Publish:
		t.train.snapshot.Store(e.Snapshot)
		s.changes.add(t.train.id)
		s.watches.published(t.train.id)
	case *activation.WriteHold:
		s.holdWriter.add(contextOf(e), e.HoldWrite, t.written(e))
	case *activation.WriteSale:
		s.saleWriter.add(contextOf(e), e.Sale, t.written(e))
	case *activation.WriteExchange:
		t.write(e, func(ctx context.Context) error { return s.store.ExchangeBooking(ctx, e.Exchange) })
	case *activation.WriteCancellation:
		t.write(e, func(ctx context.Context) error { return cancel(ctx, s.store, e) })
	case *activation.WriteChange:
		t.write(e, func(ctx context.Context) error { return s.store.ChangeTrain(ctx, e.Guard, e.To) })
	case *activation.WriteDeletion:
		t.write(e, func(ctx context.Context) error { return s.deleteTrain(ctx, e) })
	case activation.Announce:
		t.announce(e)
	case *activation.ReadHistory:
		t.readHistory(e)
	case activation.SetTimer:
		t.setTimer(e.At)
	case activation.Report:
		t.report(e)
	case activation.Close:
		t.closing = &e
		s.actors.Root.Stop(t.self)
	default:
		t.load(e)
	}
}

// load executes a step of the load, or its end.
func (t *trainActor) load(e activation.Effect) {
	ctx, s, id := t.loading, t.system, t.train.id
	switch e := e.(type) {
	case activation.FindEpoch:
		s.loads.epochs.load(ctx, id, id, func(epoch int64, err error) {
			if errors.Is(err, persistence.ErrNotFound) && s.catalogue.toCreate(id, time.Now()) != nil {
				err = nil
			}
			t.send(activation.EpochFound{Epoch: epoch, Err: err})
		})
	case activation.AcquireLease:
		t.acquire(e.Guard.Owner)
	case activation.Adopt:
		e.Guard.Epoch = e.Old + 1
		adoption := persistence.Adoption{Guard: e.Guard, Departure: s.catalogue.toCreate(id, time.Now())}
		s.loads.adoptions.add(ctx, adoption, func(err error) {
			if errors.Is(err, persistence.ErrStale) {
				s.refreshes.begin()
			}
			t.train.epoch.Store(e.Guard.Epoch)
			t.send(activation.Adopted{Epoch: e.Guard.Epoch, Err: err})
		})
	case activation.ReadHolds:
		s.loads.holds.load(ctx, id, id, func(held persistence.HeldTrain, err error) {
			t.send(activation.HoldsRead{Holds: held.Holds, Err: err})
		})
	case activation.ReadTrain:
		load := trainToLoad{id: id, became: e.Became}
		if listed := s.catalogue.find(id, time.Now()); listed != nil {
			load.capacity = listed.Capacity
		}
		s.loads.trains.load(ctx, id, load, func(train persistence.LoadedTrain, err error) {
			t.send(activation.TrainRead{Train: train, Err: err})
		})
	case activation.Serve:
		t.loaded()
		s.metrics.activated(nil, time.Since(t.started))
		listed := s.catalogue.find(t.train.id, time.Now())
		if listed != nil && !listed.UpdatedAt.Equal(e.Train.UpdatedAt) || s.catalogue.findComputed(t.train.id) != nil {
			s.refreshes.begin() // an earlier change had an unknown outcome, or the train has a row now
		}
	}
}

// acquire acquires the lease. If a process has it that is no member any more, nothing but its expiry
// will free it, so acquire waits for that, or for another change of the members.
func (t *trainActor) acquire(owner uuid.UUID) {
	ctx, s := t.loading, t.system
	wanted := cluster.Acquisition{
		Lease: persistence.Lease{Train: t.train.id, Owner: owner},
		Lost: func() {
			s.changes.add(t.train.id) // the term has ended early
			t.send(activation.LeaseLost{})
		},
	}
	s.loads.leases.load(ctx, t.train.id, wanted, func(term *cluster.Term, err error) {
		changed := s.members.wait()
		held, elsewhere := errors.AsType[*cluster.NotOwnerError](err)
		switch {
		case err == nil:
			t.train.term.Store(term)
			t.send(activation.LeaseAcquired{Term: term})
		case !elsewhere:
			t.send(activation.LeaseAcquired{Err: err})
		case s.cluster.Peer(held.Address) != nil:
			t.send(activation.LeaseAcquired{Owner: held.Address})
		default:
			s.background.Go(func() {
				if err := awaitLease(ctx, held.Left, changed); err != nil {
					t.send(activation.LeaseAcquired{Err: err})
					return
				}
				t.acquire(owner)
			})
		}
	})
}

// awaitLease waits until a lease has expired that is not renewed, or the members have changed. The
// error is ctx's, if ctx ends first.
func awaitLease(ctx context.Context, left time.Duration, changed <-chan struct{}) error {
	expired := time.NewTimer(left + leaseSlack)
	defer expired.Stop()
	select {
	case <-expired.C:
	case <-changed:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// contextOf returns the context of the request of a write, which the write may outlive.
func contextOf(w activation.Write) context.Context {
	if r := w.For(); r != nil {
		return r.Context
	}
	return context.Background()
}

func (t *trainActor) written(w activation.Write) func(error) {
	return func(err error) { t.send(activation.Written{Write: w, Err: err}) }
}

// write runs a write off the actor. It does not stop when the client disconnects. It is repeated
// while somebody else has locked what it needs, until it is as old as an item of a batcher may be.
func (t *trainActor) write(w activation.Write, call func(context.Context) error) {
	done := t.written(w)
	t.system.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(contextOf(w)), storeTimeout)
		defer cancel()
		begun := time.Now()
		err := call(ctx)
		for backoff := minBackoff; errors.Is(err, persistence.ErrLocked) && time.Since(begun) < maxQueueAge; {
			<-time.After(backoff)
			backoff, err = min(2*backoff, maxBackoff), call(ctx)
		}
		done(err)
	})
}

// deleteTrain deletes a train and what belongs to it. A train that is created with its id must not
// have its holds.
func (s *System) deleteTrain(ctx context.Context, d *activation.WriteDeletion) error {
	if err := s.store.DeleteTrain(ctx, d.Guard, d.Deletion); err != nil {
		return err
	}
	if err := s.dropHolds(ctx, d.Guard, d.Holds); err != nil {
		return errors.Join(persistence.ErrUnknown, err)
	}
	if err := s.announce(ctx); err != nil {
		return errors.Join(persistence.ErrUnknown, err)
	}
	return nil
}

// dropHolds drops holds at once, without the batcher.
func (s *System) dropHolds(ctx context.Context, guard persistence.Guard, holds []booking.Hold) error {
	for batch := range slices.Chunk(holds, maxBatch) {
		writes := make([]persistence.HoldWrite, len(batch))
		for i, h := range batch {
			writes[i] = persistence.HoldWrite{Guard: guard, Op: persistence.HoldDrop, Hold: h}
		}
		results, err := s.holdStore.WriteHolds(ctx, writes)
		if err = errors.Join(append(results, err)...); err != nil {
			return fmt.Errorf("drop %d holds: %w", len(holds), err)
		}
	}
	return nil
}

// announce responds when every member has the changed train. The actor does not wait for that and
// may even close, because the change is stored.
func (t *trainActor) announce(a activation.Announce) {
	t.system.background.Go(func() {
		if err := t.system.announce(context.WithoutCancel(a.To.Context)); err != nil {
			a.To.Respond(activation.Response{Err: booking.Timeout(err)})
			return
		}
		a.To.Respond(activation.Response{Value: a.Train})
	})
}

func (t *trainActor) readHistory(e *activation.ReadHistory) {
	s, id := t.system, t.train.id
	s.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
		defer cancel()
		var history booking.History
		var err error
		if history.Holds, err = s.holdStore.UserHolds(ctx, id, e.User, time.Now()); err == nil {
			history.Cancelled, err = s.store.CancelledBookings(ctx, id, e.User)
		}
		t.send(activation.HistoryRead{Of: e, History: history, Err: err})
	})
}

func (t *trainActor) setTimer(at time.Time) {
	if t.timer == nil {
		t.timer = time.AfterFunc(time.Until(at), func() { t.send(activation.Tick{At: time.Now()}) })
		return
	}
	t.timer.Reset(time.Until(at))
}

// report logs and counts an occurrence.
func (t *trainActor) report(r activation.Report) {
	t.system.metrics.occurred(r, time.Since(t.started))
	train := slog.String("train", t.train.id.String())
	switch {
	case r.Occurrence == activation.Inconsistent:
		t.system.log.Error("the seats and the bookings of the train differ; what either of them has is not sold",
			train, slog.Any("seats", r.Seats))
	case errors.Is(r.Err, persistence.ErrNotFound): // the train was deleted
	case r.Occurrence == activation.NotLoaded:
		t.system.log.Warn("train not activated", train, slog.Any("error", r.Err))
	case r.Occurrence == activation.LastingConflict:
		t.system.log.Warn("request refused, because the store contradicts it again", train, slog.Any("error", r.Err))
	case r.Err != nil:
		t.system.log.Warn("train activation halts after a failed write",
			train, slog.String("event", string(r.Occurrence)), slog.Any("error", r.Err))
	}
}

// stopped releases the lease and closes the activation.
func (t *trainActor) stopped() {
	if t.timer != nil {
		t.timer.Stop()
	}
	t.loaded()
	if t.closing == nil { // the machine panicked
		aborted := t.machine.Abort()
		t.closing = &aborted
	}
	if h := t.closing.Handoff; h != nil {
		t.system.activations.leaveHandoff(t.train.id, *h)
	}
	term := t.train.term.Load()
	if term == nil {
		t.close()
		return
	}
	t.train.closing.Store(true)
	t.system.changes.add(t.train.id)
	t.system.loads.releases.add(context.Background(), release{t.train.id, term}, func(error) { t.close() })
}

// close removes the activation and lets the waiting requests be sent to the next one.
func (t *trainActor) close() {
	t.system.activations.remove(t.train)
	for _, r := range t.closing.Waiting {
		r.Respond(activation.Response{Retry: true})
	}
	close(t.train.closed)
	if t.closing.Reactivate {
		t.system.activations.reactivate(t.train.id)
	}
}
