package actors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"

	"trainbooking.dev/actors/wire"
)

// gatewayName is the actor of each process that its peers talk to.
const gatewayName = "gateway"

var (
	// errPeerLeft says that a peer left before it answered.
	errPeerLeft = errors.New("the peer has left")
	// errUnknownOperation says that a peer is of a version that does not know what it was
	// asked.
	errUnknownOperation = errors.New("the peer does not know this operation")
)

// peers carries calls to the other processes, and theirs to this one. A call is sent
// once: it may be lost, and so may its answer, so whoever calls must be safe to call again.
//
//	call ──▶ Envelope ──▶ their gateway ──▶ goroutine: operation
//	  ▲                                        │
//	  └── our gateway ◀── Envelope ◀───────────┘
type peers struct {
	system  *System
	address string
	remote  *remote.Remote

	start func() error
	post  func(address string, envelope *wire.Envelope) // sends once, and does not wait

	mu     sync.Mutex
	last   uint64
	calls  map[uint64]chan *wire.Envelope // that wait for their answer
	closed bool                           // calls of peers are not answered any more
}

func newPeers(s *System, o *Cluster) *peers {
	p := &peers{system: s, address: o.Address, calls: map[uint64]chan *wire.Envelope{}}
	p.start = func() error { return p.listen(o) }
	p.post = func(address string, envelope *wire.Envelope) {
		s.actors.Root.Send(actor.NewPID(address, gatewayName), envelope)
	}
	return p
}

// listen makes this process one that peers can call.
func (p *peers) listen(o *Cluster) (err error) {
	host, port, err := splitPort(o.Listen)
	if err != nil {
		return err
	}
	// The library panics where it cannot listen.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("listen for peers on %s: %v", o.Listen, r)
		}
	}()
	options := append(transport(o, p.system.log), remote.WithAdvertisedHost(o.Address))
	listener := remote.NewRemote(p.system.actors, remote.Configure(host, port, options...))
	listener.Start()
	p.remote = listener
	props := actor.PropsFromFunc(p.receive)
	_, err = p.system.actors.Root.SpawnNamed(props, gatewayName)
	return err
}

func splitPort(address string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(address)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	return host, port, err
}

// stop ends what listen began. Calls that are being answered go on.
func (p *peers) stop() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	if p.remote != nil {
		p.remote.Shutdown(false)
	}
}

// forget ends the connection to an address that no member has any more.
func (p *peers) forget(address string) {
	p.system.actors.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: address})
}

// call asks a peer once and reads its answer into answer. The error is ctx's, or
// errPeerLeft, errUnknownOperation, or what the answer cannot be read for.
func (p *peers) call(ctx context.Context, to *peer, operation string, question, answer any) error {
	body, err := json.Marshal(question)
	if err != nil {
		return fmt.Errorf("encode %s: %w", operation, err)
	}
	number, answered := p.expect()
	defer p.giveUp(number)
	p.post(to.Address, &wire.Envelope{Call: number, From: p.address, Operation: operation, Body: body, Trace: inject(ctx)})
	select {
	case envelope := <-answered:
		return readAnswer(operation, envelope, answer)
	case <-to.left:
		return errPeerLeft
	case <-ctx.Done():
		return ctx.Err()
	}
}

func readAnswer(operation string, envelope *wire.Envelope, answer any) error {
	if len(envelope.GetBody()) == 0 {
		return fmt.Errorf("%s: %w", operation, errUnknownOperation)
	}
	if err := json.Unmarshal(envelope.GetBody(), answer); err != nil {
		return fmt.Errorf("decode the answer to %s: %w", operation, err)
	}
	return nil
}

func (p *peers) expect() (number uint64, answered chan *wire.Envelope) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	answered = make(chan *wire.Envelope, 1)
	p.calls[p.last] = answered
	return p.last, answered
}

func (p *peers) giveUp(number uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, number)
}

// receive is the gateway.
func (p *peers) receive(ctx actor.Context) {
	if envelope, ok := ctx.Message().(*wire.Envelope); ok {
		p.take(envelope)
	}
}

// take takes what comes from peers and never waits.
func (p *peers) take(envelope *wire.Envelope) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if envelope.GetOperation() != "" {
		if !p.closed {
			p.system.background.Go(func() { p.serve(envelope) })
		}
		return
	}
	answered := p.calls[envelope.GetCall()]
	delete(p.calls, envelope.GetCall())
	if answered != nil { // else it was given up
		answered <- envelope
	}
}

// serve answers a call. One that cannot be answered has an empty body.
func (p *peers) serve(envelope *wire.Envelope) {
	answer := &wire.Envelope{Call: envelope.GetCall()}
	ctx, cancel := context.WithTimeout(extract(context.Background(), envelope.GetTrace()), askTimeout)
	defer cancel()
	if operation := operations[envelope.GetOperation()]; operation != nil {
		value, err := operation(ctx, p.system, envelope.GetBody())
		if err == nil {
			answer.Body, err = json.Marshal(value)
		}
		if err != nil {
			p.system.log.ErrorContext(ctx, "a peer was not answered",
				slog.String("operation", envelope.GetOperation()), slog.String("peer", envelope.GetFrom()), slog.Any("error", err))
		}
	}
	p.post(envelope.GetFrom(), answer)
}

// tellAll tells every member something and returns when each has said that it knows, or
// has left.
func (p *peers) tellAll(ctx context.Context, operation string, news any) error {
	all := p.system.cluster.members.all()
	results := make(chan error, len(all))
	for _, to := range all {
		p.system.background.Go(func() { results <- p.tell(ctx, to, operation, news) })
	}
	var errs []error
	for range all {
		errs = append(errs, <-results)
	}
	return errors.Join(errs...)
}

// tell repeats a call until it is answered, the peer has left, or ctx ends.
func (p *peers) tell(ctx context.Context, to *peer, operation string, news any) error {
	for timeout := minAttempt; ; timeout *= 2 {
		attempt, cancel := context.WithTimeout(ctx, timeout)
		err := p.call(attempt, to, operation, news, &nothing{})
		cancel()
		switch {
		case err == nil, errors.Is(err, errPeerLeft), errors.Is(err, errUnknownOperation):
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s was not told: %w", to.Address, err)
		}
	}
}
