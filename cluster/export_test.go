package cluster

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	"trainbooking.dev/persistence"
)

// Member is membership for tests.
type Member struct {
	*membership
	evicted *atomic.Bool
}

// NewMember returns a member that has not joined.
func NewMember(store persistence.Members, address string) Member {
	m, evicted := newMembership(store, address), new(atomic.Bool)
	m.dial, m.log = dialer(&Options{Tokens: func() []string { return []string{"token"} }, Network: tcp{}}), slog.New(slog.DiscardHandler)
	m.changed = func() {}
	m.evicted = func() { evicted.Store(true) }
	m.recovered = func() {}
	return Member{m, evicted}
}

// Heartbeat sends a heartbeat; the first joins.
func (m Member) Heartbeat(ctx context.Context) error { return m.heartbeat(ctx) }

// Drain makes it a member that gets no keys.
func (m Member) Drain(ctx context.Context) error { return m.drain(ctx) }

// Leave ends the membership.
func (m Member) Leave(ctx context.Context) error { return m.leave(ctx) }

// Evicted reports whether the peers have evicted it.
func (m Member) Evicted() bool { return m.evicted.Load() }

// ApplyMembership applies the membership that the first heartbeat of a member returned. It
// returns the addresses that get keys.
func ApplyMembership(address string, texts ...string) ([]string, error) {
	m := NewMember(nil, address)
	defer m.close()
	err := m.apply(persistence.Membership{Members: texts, Since: time.Hour})
	return m.serving, err
}

// MemberText returns the description of a member.
func MemberText(id uuid.UUID, address string) string { return member{ID: id, Address: address}.text() }

// ClockBounds returns the bounds of the present time after the store's time was read during call.
func ClockBounds(call func() time.Time) (earliest, latest time.Time) {
	var c clock
	sent := monotonic()
	at := call()
	c.set(at.Truncate(storePrecision), sent, monotonic())
	return c.bounds()
}

// Dial connects to a Node as a peer does.
func Dial(address string, tokens ...string) (*grpc.ClientConn, error) {
	return DialWith(address, func() []string { return tokens })
}

// DialWith is Dial with tokens that change.
func DialWith(address string, tokens func() []string) (*grpc.ClientConn, error) {
	return dialer(&Options{Tokens: tokens, Network: tcp{}})(address)
}
