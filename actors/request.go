package actors

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/booking"
)

const (
	minBackoff = time.Millisecond
	maxBackoff = 50 * time.Millisecond
	// minAttempt is the timeout of the first attempt at a peer. Each attempt without a
	// response doubles it, so that a slow store does not get the same work ever more often.
	minAttempt = 400 * time.Millisecond
	// lockTimeout bounds the wait for a train that is locked in its store, for an adoption.
	lockTimeout = 3 * time.Second
	// leaseSlack is how much later than a lease was to expire another attempt is made to acquire it.
	leaseSlack = 10 * time.Millisecond
)

// request is a message to the actor of a train.
type request struct {
	activation.Request
	response chan response
	begun    atomic.Bool // the machine has it, so it may have had an effect
	backlog  *backlog    // counts the request until its response
}

// newRequest returns one attempt to execute a command that arrived at a time. Until its response it
// stays in the backlog, even if its client has disconnected.
func newRequest(ctx context.Context, c activation.Command, arrived time.Time) *request {
	r := &request{response: make(chan response, 1)}
	r.Request = activation.Request{Context: ctx, Command: c, Arrived: arrived, Respond: func(resp activation.Response) {
		r.response <- response{Response: resp}
		r.backlog.leave(time.Now())
	}}
	return r
}

// empty is the result of a command that has none.
type empty = struct{}

// response is a response of the machine. With slow, which implies Retry, a peer did not respond in
// time, or the call did not reach it in time.
type response struct {
	activation.Response
	slow bool
}

var (
	retry = response{Response: activation.Response{Retry: true}}
	lost  = response{Response: activation.Response{Retry: true, Lost: true}}
)

func failure(err error) response { return response{Response: activation.Response{Err: err}} }

// sendRequest executes a command on the train's actor, in the process that owns the train, and
// activates an idle train. Commands are idempotent, so an attempt without a response
// (its activation closed, its process died) is repeated until requestTimeout. wasLost reports
// whether such an attempt may have been executed.
func sendRequest[R any](
	ctx context.Context, s *System, id booking.TrainID, c activation.Command,
) (result R, wasLost bool, err error) {
	arrived := time.Now()
	if deadline, set := ctx.Deadline(); !set || deadline.After(arrived.Add(requestTimeout)) {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, requestTimeout)
		defer cancel()
	}
	s.commands.Add(1)
	defer s.commands.Add(-1)
	ctx, end := startRequest(ctx, c, id)
	defer func() { end(err) }()
	timeout, to, conflicts := minAttempt, "", 0
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		r := newRequest(ctx, c, arrived)
		r.Lost, r.Conflicts = wasLost, conflicts
		resp := s.attempt(to, id, r, timeout)
		wasLost = wasLost || resp.Lost
		switch {
		case !resp.Retry && resp.Err == nil:
			result, err = resultOf[R](resp.Value)
			return result, wasLost, err
		case !resp.Retry:
			return result, wasLost, unknownIfLost(resp.Err, wasLost)
		}
		s.metrics.retries.Inc()
		if resp.slow {
			timeout *= 2
		}
		if resp.Conflict {
			conflicts++
		}
		to = resp.Owner
		if err := pause(ctx, backoff); err != nil {
			return result, wasLost, booking.Timeout(err)
		}
	}
}

// resultOf returns the result of a command; nil is that of a command without one.
func resultOf[R any](value any) (result R, err error) {
	result, ok := value.(R)
	if !ok && value != nil {
		err = fmt.Errorf("the result is a %T, not a %T", value, result)
	}
	return result, err
}

// pause waits for d. The error is ctx's, if ctx ends first.
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

// attempt sends a request once: to this process if the train is active or proposed here,
// else to the peer with its lease (to) if that is known, else to its proposed owner.
func (s *System) attempt(to string, id booking.TrainID, r *request, timeout time.Duration) response {
	peer := s.cluster.Peer(to)
	if peer == nil {
		if s.proposedHere(id) || s.activations.isActive(id) {
			return s.attemptLocal(id, r)
		}
		peer = s.cluster.Peer(s.proposedOwner(id))
	} else if s.activations.isActive(id) {
		return s.attemptLocal(id, r)
	}
	if peer == nil { // no process accepts trains at the moment
		return retry
	}
	ctx, cancel := context.WithTimeout(r.Context, timeout)
	defer cancel()
	return s.executeRemotely(ctx, peer, id, r)
}

// attemptLocal sends a request once to the activation in this process.
func (s *System) attemptLocal(id booking.TrainID, r *request) response {
	to, err := s.activations.activate(id)
	switch {
	case errors.Is(err, errOwnedElsewhere): // or soon will be
		return retry
	case err != nil:
		return failure(booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err))
	}
	r.backlog = &to.backlog
	if err := r.backlog.enter(); err != nil {
		s.metrics.overloaded.Inc()
		return failure(err)
	}
	s.actors.Root.Send(to.pid, r)
	select {
	case resp := <-r.response:
		return resp
	case <-to.closed:
	case <-r.Context.Done():
		return failure(booking.Timeout(r.Context.Err()))
	}
	select {
	case resp := <-r.response: // sent just before the activation closed
		return resp
	default: // the activation is closed, so begun is final
		if r.begun.Load() {
			return lost
		}
		return retry
	}
}

// unknownIfLost turns the outcome not_executed of a 503 into unknown if an earlier attempt
// of the same command was lost.
func unknownIfLost(err error, lost bool) error {
	e, ok := errors.AsType[*booking.Error](err)
	if !lost || !ok || e.Outcome != booking.OutcomeNotExecuted {
		return err
	}
	unknown := *e
	unknown.Outcome = booking.OutcomeUnknown
	return &unknown
}
