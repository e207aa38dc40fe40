package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"trainbooking.dev/booking"
)

// The operations that processes call on each other.
const (
	operationHello   = "hello"   // this process has joined
	operationRequest = "request" // a request to a train
	operationOffers  = "offers"  // what can be booked on some trains
	operationTallies = "figure"  // the tallies of those of some trains that are active
	operationUpdate  = "update"  // an update of the catalogue
)

// operations handle the calls of peers. The error is that of a body that cannot be decoded.
var operations map[string]func(context.Context, *System, []byte) (any, error)

func init() { // not a literal, which would be an initialization cycle
	operations = map[string]func(context.Context, *System, []byte) (any, error){
		operationHello:   handler((*System).handleHello),
		operationRequest: handler((*System).handleRequest),
		operationOffers:  handler((*System).handleOffers),
		operationTallies: handler((*System).handleTallies),
		operationUpdate:  handler((*System).handleUpdate),
	}
}

func handler[Q, R any](handle func(*System, context.Context, Q) R) func(context.Context, *System, []byte) (any, error) {
	return func(ctx context.Context, s *System, body []byte) (any, error) {
		var q Q
		if err := json.Unmarshal(body, &q); err != nil {
			return nil, err
		}
		return handle(s, ctx, q), nil
	}
}

// remoteCommands are the commands that peers may send, by name.
var remoteCommands = map[string]reflect.Type{
	"hold":    reflect.TypeFor[hold](),
	"confirm": reflect.TypeFor[confirm](),
	"release": reflect.TypeFor[release](),
	"cancel":  reflect.TypeFor[cancel](),
	"change":  reflect.TypeFor[changeTrain](),
	"delete":  reflect.TypeFor[deleteTrain](),
	"query":   reflect.TypeFor[query](),
}

// commandName returns the name of a command, "" for one that peers do not send.
func commandName(c command) string {
	for name, t := range remoteCommands {
		if reflect.TypeOf(c) == t {
			return name
		}
	}
	return ""
}

// remoteRequest is a request as it is sent to a peer.
type remoteRequest struct {
	Train   booking.TrainID
	Command string
	Body    json.RawMessage
	Age     time.Duration // since it arrived: clocks of two machines are not compared
	Left    time.Duration // until the request times out
}

// remoteResponse is a response as a peer sends it.
type remoteResponse struct {
	Value       json.RawMessage `json:",omitempty"`
	Error       *booking.Error  `json:",omitempty"`
	Cause       string          `json:",omitempty"` // of Error, for the log
	Retry, Lost bool            `json:",omitempty"`
	Owner       string          `json:",omitempty"`
}

// attemptRemote sends a request once to a peer.
func (s *System) attemptRemote(ctx context.Context, to *peer, id booking.TrainID, r *request) response {
	q := remoteRequest{Train: id, Command: commandName(r.command), Age: time.Since(r.arrived)}
	if deadline, ok := r.ctx.Deadline(); ok {
		q.Left = time.Until(deadline)
	}
	body, err := json.Marshal(r.command)
	if err != nil || q.Command == "" {
		return response{err: fmt.Errorf("%T cannot be sent to a peer: %w", r.command, err)}
	}
	q.Body = body
	var remote remoteResponse
	if err := s.cluster.peers.call(ctx, to, operationRequest, q, &remote); err != nil {
		return response{retry: true, lost: true}
	}
	resp := response{retry: remote.Retry, lost: remote.Lost, owner: remote.Owner}
	if remote.Error != nil {
		if remote.Cause != "" {
			remote.Error.Cause = errors.New(to.Address + ": " + remote.Cause)
		}
		resp.err = remote.Error
	} else {
		resp.value = remote.Value
	}
	return resp
}

// handleRequest executes a request of a peer on a train of this process.
func (s *System) handleRequest(ctx context.Context, q remoteRequest) remoteResponse {
	t := remoteCommands[q.Command]
	if t == nil { // from a newer peer: another process may have this command
		return remoteResponse{Retry: true}
	}
	value := reflect.New(t)
	if err := json.Unmarshal(q.Body, value.Interface()); err != nil {
		return encodeResponse(response{err: err})
	}
	ctx, cancel := context.WithTimeout(ctx, min(q.Left, requestTimeout))
	defer cancel()
	ctx, end := startRequest(ctx, q.Command, q.Train)
	resp := s.attemptLocal(q.Train, &request{
		ctx: ctx, command: value.Elem().Interface().(command), arrived: time.Now().Add(-q.Age), response: make(chan response, 1),
	})
	end(resp.err)
	return encodeResponse(resp)
}

func encodeResponse(r response) remoteResponse {
	remote := remoteResponse{Retry: r.retry, Lost: r.lost, Owner: r.owner}
	if r.err == nil && !r.retry {
		remote.Value, r.err = json.Marshal(r.value)
	}
	if r.err == nil {
		return remote
	}
	e, ok := errors.AsType[*booking.Error](r.err)
	if !ok {
		e = &booking.Error{Code: booking.CodeInternal, Message: "internal error", Cause: r.err}
	}
	remote.Error = e
	if e.Cause != nil {
		remote.Cause = e.Cause.Error()
	}
	return remote
}

// handleHello reads the members at once, so that a new member misses no catalogue update.
func (s *System) handleHello(ctx context.Context, _ empty) empty {
	_ = s.cluster.members.heartbeat(ctx) // after an error the next heartbeat reads them
	return empty{}
}
