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

// What peers ask each other. Names and bodies only grow: processes of two versions run
// side by side.
const (
	operationHello  = "hello"  // look who is a member: I am new
	operationAsk    = "ask"    // a command for a train
	operationOffers = "offers" // what can be booked of some trains
	operationFigure = "figure" // the figures of those of some trains that are active
	operationNews   = "news"   // a train was put, or is gone
)

// operations answer the calls of peers. An error is a call that cannot be read.
var operations map[string]func(context.Context, *System, []byte) (any, error)

func init() { // not a literal: the operations make calls themselves
	operations = map[string]func(context.Context, *System, []byte) (any, error){
		operationHello:  reading((*System).answerHello),
		operationAsk:    reading((*System).answerAsk),
		operationOffers: reading((*System).answerOffers),
		operationFigure: reading((*System).answerFigures),
		operationNews:   reading((*System).answerNews),
	}
}

func reading[Q, A any](answer func(*System, context.Context, Q) A) func(context.Context, *System, []byte) (any, error) {
	return func(ctx context.Context, s *System, body []byte) (any, error) {
		var question Q
		if err := json.Unmarshal(body, &question); err != nil {
			return nil, err
		}
		return answer(s, ctx, question), nil
	}
}

// remoteCommands are the commands that a peer may ask of a train, by name.
var remoteCommands = map[string]reflect.Type{
	"hold":    reflect.TypeFor[hold](),
	"confirm": reflect.TypeFor[confirm](),
	"release": reflect.TypeFor[release](),
	"cancel":  reflect.TypeFor[cancel](),
	"change":  reflect.TypeFor[change](),
	"remove":  reflect.TypeFor[remove](),
	"see":     reflect.TypeFor[see](),
}

// nameOf returns the name of a command, "" of one that only this process asks.
func nameOf(c command) string {
	for name, t := range remoteCommands {
		if reflect.TypeOf(c) == t {
			return name
		}
	}
	return ""
}

// question is an ask on its way to the process that owns the train.
type question struct {
	Train   booking.TrainID
	Command string
	Body    json.RawMessage
	Age     time.Duration // since it arrived: clocks of two machines are not compared
	Left    time.Duration // until nobody waits for the answer any more
}

// answered is a reply on its way back.
type answered struct {
	Value       json.RawMessage `json:",omitempty"`
	Error       *booking.Error  `json:",omitempty"`
	Cause       string          `json:",omitempty"` // of Error, for the log
	Retry, Lost bool            `json:",omitempty"`
	Owner       string          `json:",omitempty"`
}

// attemptThere asks the train of a peer once.
func (s *System) attemptThere(ctx context.Context, to *peer, id booking.TrainID, a *ask) reply {
	q := question{Train: id, Command: nameOf(a.command), Age: time.Since(a.arrived)}
	if deadline, ok := a.ctx.Deadline(); ok {
		q.Left = time.Until(deadline)
	}
	body, err := json.Marshal(a.command)
	if err != nil || q.Command == "" {
		return reply{err: fmt.Errorf("%T cannot be asked of a peer: %w", a.command, err)}
	}
	q.Body = body
	var back answered
	if err := s.cluster.peers.call(ctx, to, operationAsk, q, &back); err != nil {
		return reply{retry: true, lost: true}
	}
	r := reply{retry: back.Retry, lost: back.Lost, owner: back.Owner}
	if back.Error != nil {
		if back.Cause != "" {
			back.Error.Cause = errors.New(to.Address + ": " + back.Cause)
		}
		r.err = back.Error
	} else {
		r.value = back.Value
	}
	return r
}

// answerAsk asks a train of this process on behalf of a peer.
func (s *System) answerAsk(ctx context.Context, q question) answered {
	t := remoteCommands[q.Command]
	if t == nil { // a newer peer: another process may know it
		return answered{Retry: true}
	}
	value := reflect.New(t)
	if err := json.Unmarshal(q.Body, value.Interface()); err != nil {
		return answeredBy(reply{err: err})
	}
	ctx, cancel := context.WithTimeout(ctx, min(q.Left, askTimeout))
	defer cancel()
	ctx, end := startAsk(ctx, q.Command, q.Train)
	a := &ask{ctx: ctx, command: value.Elem().Interface().(command), arrived: time.Now().Add(-q.Age), reply: make(chan reply, 1)}
	r := s.attemptHere(q.Train, a)
	end(r.err)
	return answeredBy(r)
}

func answeredBy(r reply) answered {
	back := answered{Retry: r.retry, Lost: r.lost, Owner: r.owner}
	if r.err == nil && !r.retry {
		back.Value, r.err = json.Marshal(r.value)
	}
	if r.err == nil {
		return back
	}
	e, ok := errors.AsType[*booking.Error](r.err)
	if !ok {
		e = &booking.Error{Code: booking.CodeInternal, Message: "internal error", Cause: r.err}
	}
	back.Error = e
	if e.Cause != nil {
		back.Cause = e.Cause.Error()
	}
	return back
}

// answerHello looks at once who is there, so that a new member misses no news.
func (s *System) answerHello(ctx context.Context, _ nothing) nothing {
	_ = s.cluster.members.beat(ctx) // if Redis is away the next heartbeat sees it
	return nothing{}
}
