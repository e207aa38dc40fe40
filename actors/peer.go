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

// gatewayName is the name of the actor that receives the calls of peers.
const gatewayName = "gateway"

var (
	// errPeerLeft is returned when a peer left the cluster before it responded.
	errPeerLeft = errors.New("the peer has left")
	// errUnknownOperation is returned when a peer's version does not have the operation.
	errUnknownOperation = errors.New("the peer does not support this operation")
)

// peers carries the calls between this process and the others. A call is sent once. It may
// be lost, and so may its response, so operations must be idempotent.
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
	calls  map[uint64]chan *wire.Envelope // that wait for a response
	closed bool                           // calls of peers are ignored
}

func newPeers(s *System, o *Cluster) *peers {
	p := &peers{system: s, address: o.Address, calls: map[uint64]chan *wire.Envelope{}}
	p.start = func() error { return p.listen(o) }
	p.post = func(address string, envelope *wire.Envelope) {
		s.actors.Root.Send(actor.NewPID(address, gatewayName), envelope)
	}
	return p
}

// listen starts to serve the calls of peers.
func (p *peers) listen(o *Cluster) (err error) {
	host, port, err := splitPort(o.Listen)
	if err != nil {
		return err
	}
	// The library panics if it cannot listen.
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

// stop ends what listen started. Calls that are being served continue.
func (p *peers) stop() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	if p.remote != nil {
		p.remote.Shutdown(false)
	}
}

// disconnect ends the connection to an address that no member has any longer.
func (p *peers) disconnect(address string) {
	p.system.actors.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: address})
}

// call calls an operation of a peer once and decodes its response. The error is ctx's, or
// errPeerLeft, errUnknownOperation, or that of a response that cannot be decoded.
func (p *peers) call(ctx context.Context, to *peer, operation string, request, response any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("encode %s: %w", operation, err)
	}
	number, received := p.register()
	defer p.unregister(number)
	p.post(to.Address, &wire.Envelope{Call: number, From: p.address, Operation: operation, Body: body, Trace: inject(ctx)})
	select {
	case envelope := <-received:
		return readResponse(operation, envelope, response)
	case <-to.left:
		return errPeerLeft
	case <-ctx.Done():
		return ctx.Err()
	}
}

func readResponse(operation string, envelope *wire.Envelope, response any) error {
	if len(envelope.GetBody()) == 0 {
		return fmt.Errorf("%s: %w", operation, errUnknownOperation)
	}
	if err := json.Unmarshal(envelope.GetBody(), response); err != nil {
		return fmt.Errorf("decode the response to %s: %w", operation, err)
	}
	return nil
}

func (p *peers) register() (number uint64, received chan *wire.Envelope) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last++
	received = make(chan *wire.Envelope, 1)
	p.calls[p.last] = received
	return p.last, received
}

func (p *peers) unregister(number uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.calls, number)
}

// receive is the gateway actor.
func (p *peers) receive(ctx actor.Context) {
	if envelope, ok := ctx.Message().(*wire.Envelope); ok {
		p.dispatch(envelope)
	}
}

// dispatch handles a call or a response of a peer without blocking.
func (p *peers) dispatch(envelope *wire.Envelope) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if envelope.GetOperation() != "" {
		if !p.closed {
			p.system.background.Go(func() { p.serve(envelope) })
		}
		return
	}
	received := p.calls[envelope.GetCall()]
	delete(p.calls, envelope.GetCall())
	if received != nil { // else the call has timed out
		received <- envelope
	}
}

// serve responds to a call. The body of the response is empty if the operation failed.
func (p *peers) serve(envelope *wire.Envelope) {
	response := &wire.Envelope{Call: envelope.GetCall()}
	ctx, cancel := context.WithTimeout(extract(context.Background(), envelope.GetTrace()), requestTimeout)
	defer cancel()
	if operation := operations[envelope.GetOperation()]; operation != nil {
		value, err := operation(ctx, p.system, envelope.GetBody())
		if err == nil {
			response.Body, err = json.Marshal(value)
		}
		if err != nil {
			p.system.log.ErrorContext(ctx, "call of a peer failed",
				slog.String("operation", envelope.GetOperation()), slog.String("peer", envelope.GetFrom()), slog.Any("error", err))
		}
	}
	p.post(envelope.GetFrom(), response)
}

// broadcast calls an operation of every peer, and returns when each has responded or left.
func (p *peers) broadcast(ctx context.Context, operation string, request any) error {
	all := p.system.cluster.members.all()
	results := make(chan error, len(all))
	for _, to := range all {
		p.system.background.Go(func() { results <- p.deliver(ctx, to, operation, request) })
	}
	var errs []error
	for range all {
		errs = append(errs, <-results)
	}
	return errors.Join(errs...)
}

// deliver repeats a call until the peer responds, the peer leaves, or ctx ends.
func (p *peers) deliver(ctx context.Context, to *peer, operation string, request any) error {
	for timeout := minAttempt; ; timeout *= 2 {
		attempt, cancel := context.WithTimeout(ctx, timeout)
		err := p.call(attempt, to, operation, request, &empty{})
		cancel()
		switch {
		case err == nil, errors.Is(err, errPeerLeft), errors.Is(err, errUnknownOperation):
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("%s did not respond: %w", to.Address, err)
		}
	}
}
