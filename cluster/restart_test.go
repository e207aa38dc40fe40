package cluster_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/cluster"
	"trainbooking.dev/persistence"
)

// replacedLeases are Leases whose store may be replaced by a replica.
type replacedLeases struct {
	persistence.Leases
	replaced atomic.Bool // the next renewal returns ErrRestarted
}

func (r *replacedLeases) RenewLeases(ctx context.Context, leases []persistence.Lease) ([]error, error) {
	results, err := r.Leases.RenewLeases(ctx, leases)
	if r.replaced.CompareAndSwap(true, false) {
		err = persistence.ErrRestarted
	}
	return results, err
}

// TestReplacedStoreIsReportedAtOnceButNotTooOften has a failover that no call notices, another one
// soon after it, and one while the heartbeats, which may be on another shard, are lost.
func TestReplacedStoreIsReportedAtOnceButNotTooOften(t *testing.T) {
	t.Parallel()
	onVirtualCluster(t, func(c *virtualCluster) {
		const unreachable = 20
		n := c.join("10.0.0.1:8090", during(unreachable, 1000))
		lost := func() { t.Error("the lease is held") }
		lease := persistence.Lease{Train: booking.NewTrainID(), Owner: uuid.New()}
		require.NoError(t, n.Acquire(c.Context(), []cluster.Acquisition{{Lease: lease, Lost: lost}})[0].Err)
		pass(persistence.LeaseRenew + time.Millisecond)
		require.Zero(t, n.recovered.Load())

		n.leases.replaced.Store(true)
		pass(persistence.LeaseRenew)
		require.EqualValues(t, 1, n.recovered.Load(), "at once")
		n.leases.replaced.Store(true)
		pass(cluster.RecoveryInterval - time.Second)
		require.EqualValues(t, 1, n.recovered.Load(), "too early again")
		pass(time.Second)
		require.EqualValues(t, 2, n.recovered.Load(), "every failover is reported")

		pass(max(unreachable*heartbeatInterval, cluster.RecoveryInterval))
		n.leases.replaced.Store(true)
		pass(persistence.LeaseRenew)
		require.EqualValues(t, 3, n.recovered.Load(), "though heartbeats are lost")
	})
}
