package actors

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"trainbooking.dev/booking"
)

const (
	minBackoff = time.Millisecond
	maxBackoff = 50 * time.Millisecond
	// minAttempt is the timeout of the first attempt at a peer. Each attempt without a
	// response doubles it, so that a slow store does not get the same work ever more often.
	minAttempt = 400 * time.Millisecond
)

// command is an operation on one train. It runs on the train's actor and must not block. It
// responds to the request, or arranges that something else does.
type command interface {
	run(t *trainActor, r *request)
}

// request is one attempt to execute a command. It gets exactly one response, unless the
// activation closes.
type request struct {
	ctx      context.Context
	command  command
	arrived  time.Time // deadlines of holds are compared with it
	response chan response
	begun    atomic.Bool // the command was run, so it may have had an effect
	backlog  *backlog    // counts the request until its response
}

// empty is the result of a command that has none.
type empty = struct{}

// response is a value or an error. With retry the command has no result and is to be
// sent to the next activation; with lost it may have been executed, and with slow a peer did not
// respond in time. owner is the address of the process that holds the train's lease, if it is
// another one.
type response struct {
	value             any
	err               error
	retry, lost, slow bool
	owner             string
}

// send sends the response. It is called at most once for a request and never blocks. Until
// then a request stays in the backlog, even if its client has disconnected.
func (r *request) send(resp response) {
	r.response <- resp
	r.backlog.leave(time.Now())
}

// sendRequest executes a command on the train's actor, in the process that owns the train, and
// activates an idle train. Commands are idempotent, so an attempt without a response
// (its activation closed, its process died) is repeated until requestTimeout. lost reports
// whether such an attempt may have been executed.
func sendRequest[R any](ctx context.Context, s *System, id booking.TrainID, c command) (result R, lost bool, err error) {
	if s.catalogue.find(id) == nil {
		return result, false, booking.NotFound("train")
	}
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	ctx, end := startRequest(ctx, c, id)
	defer func() { end(err) }()
	arrived, timeout, to := time.Now(), minAttempt, ""
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		r := s.attempt(to, id, &request{ctx: ctx, command: c, arrived: arrived, response: make(chan response, 1)}, timeout)
		lost = lost || r.lost
		switch {
		case !r.retry && r.err == nil:
			result, ok := r.value.(R)
			if !ok {
				err = fmt.Errorf("the result of %T is a %T", c, r.value)
			}
			return result, lost, err
		case !r.retry:
			return result, lost, unknownIfLost(r.err, lost)
		}
		s.metrics.retries.Inc()
		if r.slow {
			timeout *= 2
		}
		to = r.owner
		if err := pause(ctx, backoff); err != nil {
			return result, lost, booking.Timeout(err)
		}
	}
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
		return response{retry: true}
	}
	ctx, cancel := context.WithTimeout(r.ctx, timeout)
	defer cancel()
	return s.executeRemotely(ctx, peer, id, r)
}

// attemptLocal sends a request once to the activation in this process.
func (s *System) attemptLocal(id booking.TrainID, r *request) response {
	to, err := s.activations.activate(id)
	switch {
	case errors.Is(err, errOwnedElsewhere): // or soon will be
		return response{retry: true}
	case err != nil:
		return response{err: booking.Unavailable(booking.OutcomeNotExecuted, time.Second, err)}
	}
	r.backlog = &to.backlog
	if err := r.backlog.enter(); err != nil {
		s.metrics.overloaded.Inc()
		return response{err: err}
	}
	s.actors.Root.Send(to.pid, r)
	select {
	case resp := <-r.response:
		return resp
	case <-to.closed:
	case <-r.ctx.Done():
		return response{err: booking.Timeout(r.ctx.Err())}
	}
	select {
	case resp := <-r.response: // sent just before the activation closed
		return resp
	default: // the activation is closed, so begun is final
		return response{retry: true, lost: r.begun.Load()}
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
