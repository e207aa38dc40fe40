package actors

import (
	"context"
	"errors"
	"fmt"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	// eventInterval is the shortest time between two events. Changes within it form one event. A person does
	// not notice the delay.
	eventInterval = 100 * time.Millisecond
	// restPerWatcher makes that time longer if there are many watchers: it counts once for each of them. So
	// a thousand watchers leave the processors to the sales that they watch.
	restPerWatcher = 500 * time.Microsecond
	// watchPoll is how often a watched train that is not active is read from the stores. All are read at the
	// same time, in one batch.
	watchPoll = time.Second
	// restPerTurn is how many times as long as a turn to give a state to a feed the rest is that follows it.
	restPerTurn = 7
	// maxUnwatched is how long the state of a train may be unknown before its watchers get an error.
	maxUnwatched = 10 * time.Second
)

var (
	// errUnwatched is the reason why a watch failed.
	errUnwatched = errors.New("the state of the train could not be read for a while")
	// errEnded is returned after the last event of a feed.
	errEnded = errors.New("the last event")
)

// follow passes the state of a segment to its feed, until the last event or until ctx ends.
func (w *watches) follow(ctx context.Context, f *watched) {
	s, read := w.system, time.Now()
	for ctx.Err() == nil {
		var err error
		if s.cluster.Peer(s.proposedOwner(f.train)) != nil {
			err = w.followPeer(ctx, f, &read)
		} else {
			err = w.followHere(ctx, f, &read)
		}
		if errors.Is(err, errEnded) {
			return
		}
		if time.Since(read) > maxUnwatched {
			// Not %w: a connection that was closed is io.EOF, which is also the end of a watch.
			cause := fmt.Errorf("%w: %v", errUnwatched, err) //nolint:errorlint // see above
			f.Fail(booking.Unavailable(booking.OutcomeNotExecuted, time.Second, cause))
			return
		}
		if err != nil {
			_ = pause(ctx, untilPoll())
		}
	}
	f.Fail(booking.Unavailable(booking.OutcomeNotExecuted, time.Second, errStopping))
}

// untilPoll returns the time until the watched trains that are not active are read again.
func untilPoll() time.Duration {
	now := time.Now()
	return now.Truncate(watchPoll).Add(watchPoll).Sub(now)
}

// followHere follows the activation in this process, or the stores while there is none, until the train is
// proposed to a peer. It sets read to the time at which the state was last known. The error is errEnded
// after the last event.
func (w *watches) followHere(ctx context.Context, f *watched, read *time.Time) error {
	s := w.system
	var last *booking.Snapshot
	for ctx.Err() == nil {
		moved, published := s.members.wait(), f.published.wait()
		if s.cluster.Peer(s.proposedOwner(f.train)) != nil {
			return nil
		}
		snapshot, next, err := w.update(ctx, f, last)
		if err != nil {
			return err
		}
		last = snapshot
		updated, wait := time.Now(), time.NewTimer(next)
		select {
		case <-published:
			_ = pause(ctx, time.Until(updated.Add(eventInterval)))
		case <-wait.C:
		case <-moved:
		case <-ctx.Done():
		}
		wait.Stop()
		*read = time.Now()
	}
	return ctx.Err()
}

// update passes the current state of a segment to its feed, unless it is last. next is the time until the
// next update if nothing is published. The error is errEnded after the last event.
func (w *watches) update(
	ctx context.Context, f *watched, last *booking.Snapshot,
) (snapshot *booking.Snapshot, next time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	snapshot, epoch := w.system.activations.published(f.train, time.Now())
	id := booking.EventID{Epoch: epoch}
	if next = maxUnwatched / 2; snapshot == nil {
		next = untilPoll()
		snapshot, err = w.read(ctx, f.train)
		id = booking.EventID{Sequence: time.Now().UnixMicro()}
	} else {
		id.Sequence = snapshot.Sequence()
	}
	var segment booking.Legs
	if err == nil {
		segment, err = snapshot.Train.Segment(f.from, f.to)
	}
	if e, ok := errors.AsType[*booking.Error](err); ok && (e.Code == booking.CodeNotFound || e.Code == booking.CodeInvalidRequest) {
		f.End(booking.EventWithdrawn) // it was deleted, or no longer runs there
		return nil, 0, errEnded
	}
	if err != nil {
		return nil, 0, err
	}
	if snapshot != last {
		w.feed(f, id, snapshot, segment)
	}
	now := time.Now()
	switch {
	case snapshot.Train.Departed(segment, now):
		f.End(booking.EventDeparted)
		return nil, 0, errEnded
	case !snapshot.Train.OnSale:
		f.End(booking.EventWithdrawn)
		return nil, 0, errEnded
	}
	if leaves := snapshot.Train.Departure(segment); !leaves.IsZero() {
		next = min(next, max(leaves.Sub(now), time.Millisecond))
	}
	return snapshot, next, nil
}

// feed gives a state to a feed when it is its turn. It takes 0.1 ms for 20,000 seats: so it is done for one
// feed at a time, and for a part of the time while commands are executed.
func (w *watches) feed(f *watched, id booking.EventID, snapshot *booking.Snapshot, segment booking.Legs) {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	began := time.Now()
	from, to := snapshot.Train.Ends(segment)
	f.Update(id, from.Station, to.Station, snapshot.Seats(segment))
	w.owed += restPerTurn * time.Since(began)
	if w.owed > time.Millisecond {
		if w.system.commands.Load() > 0 {
			_ = pause(w.system.running, w.owed)
		}
		w.owed = 0
	}
}

// read reads a train that is not active here from the stores. Error: not_found.
func (w *watches) read(ctx context.Context, id booking.TrainID) (*booking.Snapshot, error) {
	train, err := w.system.findTrain(ctx, id)
	if err != nil {
		return nil, err
	}
	got := make(chan persistence.Result[*booking.Snapshot], 1)
	w.reads.load(ctx, id, train, func(snapshot *booking.Snapshot, err error) {
		got <- persistence.Result[*booking.Snapshot]{Value: snapshot, Err: err}
	})
	select {
	case r := <-got:
		return r.Value, r.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
