package actors

import (
	"context"
	"errors"
	"time"

	"trainbooking.dev/booking"
)

const (
	minBackoff = time.Millisecond
	maxBackoff = 50 * time.Millisecond
)

// command is something to ask of a train. It runs on the train's actor and must not
// wait; it answers the ask itself or arranges that it is answered.
type command interface {
	run(t *train, a *ask)
}

// ask is one attempt to get a command answered. Exactly one reply is sent, or none and
// the activation closes.
type ask struct {
	ctx     context.Context
	command command
	arrived time.Time // the time by which deadlines are judged
	reply   chan reply
	counted *pressure // in which it counts until it is answered, or the activation closes
}

// nothing is the answer of a command that has none.
type nothing = struct{}

// reply is a value or an error. A retry says that the command was not answered and
// shall be asked again of the next activation; lost, that it may have been executed.
type reply struct {
	value       any
	err         error
	retry, lost bool
}

// send is called at most once for an ask; the channel has room for it. An ask counts as
// waiting until then, also when its client has left.
func (a *ask) send(r reply) {
	a.reply <- r
	a.counted.leave(time.Now())
}

// askTrain gets a command answered by the train's actor, which it activates when the
// train is idle. Every command is safe to ask again, so an attempt that a closing
// activation did not answer is repeated until askTimeout.
func askTrain[R any](ctx context.Context, s *System, id booking.TrainID, c command) (answer R, err error) {
	if s.catalogue.find(id) == nil {
		return answer, booking.NotFound("train")
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	arrived, lost := time.Now(), false
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		r := s.attempt(id, &ask{ctx: ctx, command: c, arrived: arrived, reply: make(chan reply, 1)})
		lost = lost || r.lost
		switch {
		case !r.retry && r.err == nil:
			return r.value.(R), nil
		case !r.retry:
			return answer, outcome(r.err, lost)
		}
		if err := pause(ctx, backoff); err != nil {
			return answer, booking.Timeout(err)
		}
	}
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

// attempt asks the present activation once.
func (s *System) attempt(id booking.TrainID, a *ask) reply {
	to, err := s.placement.activate(id)
	if err != nil {
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
		return reply{retry: true, lost: true}
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
