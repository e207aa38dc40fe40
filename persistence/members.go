package persistence

import (
	"context"
	"time"
)

// MemberTTL is how long a heartbeat is valid. With a shorter time, healthy members on a busy
// machine were evicted (docs/decisions/0008).
const MemberTTL = 3 * time.Second

// Membership is the set of members at one moment.
type Membership struct {
	// Members are those with a valid heartbeat, by the store's clock, sorted. The caller is
	// one of them unless Evicted.
	Members []string
	// Evicted reports that the caller was removed while others stayed, and was not added
	// again. The others have blocked it, so it must rejoin under another name.
	Evicted bool
	// Since is the time since the store last lost its members, without silences (see Members).
	// While it is less than MemberTTL, a missing member may be one that has not rejoined yet.
	Since time.Duration
	// Now is the store's clock, to the millisecond.
	Now time.Time
}

// Members are the processes of the cluster, by heartbeat. A member is an opaque text
// of at most 1 kB from which its peers learn how to reach it.
//
// A silence is a time in which no heartbeat of any member arrives, longer than MemberTTL/3. It may
// count as a loss of the members, but not again before 2*MemberTTL have passed; otherwise no more
// than its first MemberTTL/3 count as time. So members are not evicted when the store is unreachable
// for all, and yet a dead one is neither listed nor to be waited for after 2*MemberTTL of the
// others' heartbeats, whichever of them are lost.
type Members interface {
	// Join adds a member for MemberTTL. Heartbeat extends that, and is due every MemberTTL/4.
	// It adds a missing member only if the store has lost its members since the member's last
	// call: it was emptied, or unreachable, so that nobody could send a heartbeat.
	Join(ctx context.Context, member string) (Membership, error)
	Heartbeat(ctx context.Context, member string) (Membership, error)
	// ListMembers returns the membership for a caller that is no member; Evicted is false.
	ListMembers(ctx context.Context) (Membership, error)
	// Leave removes the member. It is idempotent.
	Leave(ctx context.Context, member string) error
	// Changes returns a channel that gets a value soon after a Join or Leave, until ctx ends.
	// It is only a hint to send the next Heartbeat earlier: values may be missed or spurious.
	Changes(ctx context.Context) <-chan struct{}
}
