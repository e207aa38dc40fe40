package persistence

import (
	"context"
	"time"
)

// MemberTTL is how long a heartbeat counts. Shorter ones were measured to lose healthy
// members of a busy machine (PROTOACTOR.md 3).
const MemberTTL = 3 * time.Second

// Membership is what a heartbeat finds.
type Membership struct {
	// Members are those whose heartbeat counts, by the store's clock, the caller among
	// them unless Evicted; sorted.
	Members []string
	// Evicted says that the caller was taken off while others stayed: they have blocked
	// it for good, and it must come back under another name. It has not been added again.
	Evicted bool
	// Since is for how long the store has kept members without losing them. While it is
	// below MemberTTL, a member that is missing may only not have come back yet.
	Since time.Duration
}

// Members are the processes of the cluster, by heartbeat. A member is an opaque text
// of at most 1 kB that tells its peers how to reach it.
type Members interface {
	// Join adds a member for MemberTTL, and Heartbeat keeps it for that long again. Heartbeat of a
	// member that is not there adds it only when the store lost members since: it was
	// emptied, or out of reach, so that nobody beat. Members beat each MemberTTL/4.
	Join(ctx context.Context, member string) (Membership, error)
	Heartbeat(ctx context.Context, member string) (Membership, error)
	// Look returns the membership without being a member; Evicted is false.
	Look(ctx context.Context) (Membership, error)
	// Leave takes the member off at once. Idempotent.
	Leave(ctx context.Context, member string) error
	// Changes returns a channel that gets a value soon after a member joined or left
	// through these calls, until ctx ends. Values may be missed or come for nothing: it
	// only makes the next Heartbeat come earlier.
	Changes(ctx context.Context) <-chan struct{}
}
