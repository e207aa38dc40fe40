package cluster

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"

	"trainbooking.dev/persistence"
)

// NewSingle returns the cluster of a process that is alone.
func NewSingle() Cluster { return &single{} }

// single implements Cluster without peers.
type single struct{ held atomic.Int64 }

func (*single) Start(context.Context, Events) error  { return nil }
func (*single) Drain(context.Context) error          { return nil }
func (*single) Stop(context.Context) error           { return nil }
func (*single) Registrar() grpc.ServiceRegistrar     { return nowhere{} }
func (*single) Address() string                      { return "" }
func (*single) ProposedOwner(Key) string             { return "" }
func (*single) Owns(Key) bool                        { return true }
func (*single) Peer(string) *Peer                    { return nil }
func (*single) Peers() []*Peer                       { return nil }
func (*single) Members() int                         { return 1 }
func (*single) Joined() error                        { return nil }
func (*single) Bounds() (earliest, latest time.Time) { return new(clock).bounds() }
func (s *single) Leases() int                        { return int(s.held.Load()) }

// Acquire returns terms that never end.
func (s *single) Acquire(_ context.Context, wanted []Acquisition) []persistence.Result[*Term] {
	terms := make([]persistence.Result[*Term], len(wanted))
	for i := range terms {
		terms[i].Value = &Term{}
		terms[i].Value.until.Store(math.MaxInt64)
	}
	s.held.Add(int64(len(terms)))
	return terms
}

func (s *single) Release(_ context.Context, terms []*Term) {
	s.held.Add(-int64(len(terms)))
	for _, t := range terms {
		t.until.Store(0)
	}
}

// nowhere registers services that nobody can call.
type nowhere struct{}

func (nowhere) RegisterService(*grpc.ServiceDesc, any) {}
