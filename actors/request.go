package actors

import (
	"context"
	"encoding/json"
	"errors"
	"sync/atomic"
	"time"

	"trainbooking.dev/booking"
)

const (
	minBackoff = time.Millisecond
	maxBackoff = 50 * time.Millisecond
	// minAttempt is how long the first attempt at a peer may take; each one that got no
	// answer doubles it, so that a slow store is not asked the same more and more often.
	minAttempt = 400 * time.Millisecond
)

// command is something to ask of a train. It runs on the train's actor and must not
// wait; it answers the ask itself or arranges that it is answered.
type command interface {
	run(t *trainActor, a *ask)
}

// ask is one attempt to get a command answered. Exactly one reply is sent, or none and
// the activation closes.
type ask struct {
	ctx     context.Context
	command command
	arrived time.Time // the time by which deadlines are judged
	reply   chan reply
	begun   atomic.Bool // its command was run, so that something may have been done
	counted *pressure   // in which it counts until it is answered, or the activation closes
}

// nothing is the answer of a command that has none.
type nothing = struct{}

// reply is a value or an error. A retry says that the command was not answered and
// shall be asked again of the next activation; lost, that it may have been executed; the
// owner is the address of the process that has the train, if it is known to be another.
type reply struct {
	value       any
	err         error
	retry, lost bool
	owner       string
}

// send is called at most once for an ask; the channel has room for it. An ask counts as
// waiting until then, also when its client has left.
func (a *ask) send(r reply) {
	a.reply <- r
	a.counted.leave(time.Now())
}

// askTrain gets a command answered by the train's actor, wherever that is; it is
// activated when the train is idle. Every command is safe to ask again, so an attempt
// that was not answered, by an activation that closed or a process that is gone, is
// repeated until askTimeout.
func askTrain[R any](ctx context.Context, s *System, id booking.TrainID, c command) (answer R, err error) {
	answer, _, err = tryTrain[R](ctx, s, id, c)
	return answer, err
}

// tryTrain is askTrain that says also whether an attempt was lost on the way, so that it
// may have been executed beside the one that was answered.
func tryTrain[R any](ctx context.Context, s *System, id booking.TrainID, c command) (answer R, lost bool, err error) {
	if s.catalogue.find(id) == nil {
		return answer, false, booking.NotFound("train")
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	ctx, end := startAsk(ctx, nameOf(c), id)
	defer func() { end(err) }()
	arrived, timeout, to := time.Now(), minAttempt, ""
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		r := s.attempt(to, id, &ask{ctx: ctx, command: c, arrived: arrived, reply: make(chan reply, 1)}, timeout)
		lost = lost || r.lost
		switch {
		case !r.retry && r.err == nil:
			answer, err = valueOf[R](r)
			return answer, lost, err
		case !r.retry:
			return answer, lost, outcome(r.err, lost)
		}
		s.metrics.retries.Inc()
		if r.lost { // slow rather than gone, perhaps: the next one has more time
			timeout *= 2
		}
		to = r.owner
		if err := pause(ctx, backoff); err != nil {
			return answer, lost, booking.Timeout(err)
		}
	}
}

// valueOf is the answer in a reply: as it is, or as a peer sent it.
func valueOf[R any](r reply) (answer R, err error) {
	encoded, sent := r.value.(json.RawMessage)
	if !sent {
		return r.value.(R), nil
	}
	err = json.Unmarshal(encoded, &answer)
	return answer, err
}

// pause waits before something is tried again. The error is ctx's, if it ends first.
func pause(ctx context.Context, d time.Duration) error {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// attempt asks the train once: here, where it is active or belongs, or the peer that has
// its lease (to), or else the one that it belongs to.
func (s *System) attempt(to string, id booking.TrainID, a *ask, timeout time.Duration) reply {
	owner := s.cluster.owner(id)
	if to == "" || s.cluster.here(to) || s.cluster.members.at(to) == nil {
		to = owner
	}
	if s.cluster.here(to) || s.placement.isActive(id) {
		return s.attemptHere(id, a)
	}
	there := s.cluster.members.at(to)
	if there == nil { // nobody is given trains now
		return reply{retry: true}
	}
	ctx, cancel := context.WithTimeout(a.ctx, timeout)
	defer cancel()
	return s.attemptThere(ctx, there, id, a)
}

// attemptHere asks the activation in this process once.
func (s *System) attemptHere(id booking.TrainID, a *ask) reply {
	to, err := s.placement.activate(id)
	switch {
	case err != nil && s.cluster != nil: // it belongs to another, or soon will
		return reply{retry: true}
	case err != nil:
		return reply{err: booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)}
	}
	a.counted = &to.pressure
	if err := a.counted.enter(); err != nil {
		s.metrics.overloaded.Inc()
		return reply{err: err}
	}
	s.actors.Root.Send(to.pid, a)
	select {
	case r := <-a.reply:
		return r
	case <-to.closed:
	case <-a.ctx.Done():
		return reply{err: booking.Timeout(a.ctx.Err())}
	}
	select {
	case r := <-a.reply: // sent just before it closed
		return r
	default:
		return reply{retry: true, lost: a.begun.Load()} // it answers no more, so this is final
	}
}

// outcome makes a 503 that says not_executed say unknown when an earlier attempt of the
// same command was lost.
func outcome(err error, lost bool) error {
	e, ok := errors.AsType[*booking.Error](err)
	if !lost || !ok || e.Outcome != booking.OutcomeNotExecuted {
		return err
	}
	unknown := *e
	unknown.Outcome = booking.OutcomeUnknown
	return &unknown
}
