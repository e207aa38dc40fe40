package persistencetest

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	tick    = 50 * time.Millisecond
	timeout = 10 * time.Second // beyond the documented time
	// clockError is the largest difference of two clocks, with rounding, over one lease.
	clockError = 50 * time.Millisecond
)

// ExerciseLeases tests a Leases. open returns an empty one and closes it with t. The test takes a
// few times LeaseTTL, because leases expire by the store's clock.
func ExerciseLeases(t *testing.T, open func(t *testing.T) persistence.Leases) {
	t.Helper()
	begin := func(t *testing.T) *leaseExercise {
		t.Helper()
		return &leaseExercise{T: t, Leases: open(t)}
	}
	run(t, begin, []fact[*leaseExercise]{
		{"FreeLeaseIsAcquired", freeAcquired},
		{"HeldLeaseReturnsItsHolder", heldReturnsHolder},
		{"ManyLeasesAreAcquiredAndReleased", manyAcquired},
		{"OneOfManyAcquiresALease", oneOfManyAcquires},
		{"ReleasedLeaseIsFree", releasedLeaseFree},
		{"LeaseIsReleasedOnlyByItsHolder", onlyHolderReleases},
		{"RenewalReportsLostLeases", renewalReportsLost},
		{"ThousandLeasesAreRenewedAtOnce", thousandRenewed},
		{"LeaseExpiresAfterItsTTL", leaseExpires},
		{"RenewedLeaseIsKept", renewedKept},
	})
}

// leaseExercise is the fixture of a fact about a Leases.
type leaseExercise struct {
	*testing.T
	persistence.Leases
}

// newLease returns a lease of the train for a new activation.
func newLease(id booking.TrainID) persistence.Lease {
	return persistence.Lease{Train: id, Address: "[2001:db8::1]:8090", Owner: uuid.New()}
}

// acquire calls AcquireLease and returns the holder.
func (x *leaseExercise) acquire(lease persistence.Lease) persistence.Lease {
	x.Helper()
	holder, err := AcquireLease(x.Context(), x, lease)
	require.NoError(x, err)
	return holder
}

// acquireFree acquires a lease that nobody holds.
func (x *leaseExercise) acquireFree(id booking.TrainID) persistence.Lease {
	x.Helper()
	lease := newLease(id)
	require.Equal(x, lease, x.acquire(lease))
	return lease
}

// renew renews leases and returns the results.
func (x *leaseExercise) renew(leases ...persistence.Lease) []error {
	x.Helper()
	results, err := x.RenewLeases(x.Context(), leases)
	require.NoError(x, err)
	require.Len(x, results, len(leases))
	return results
}

// awaitFree waits until another activation can acquire the lease and returns the time.
func (x *leaseExercise) awaitFree(id booking.TrainID) time.Time {
	x.Helper()
	other := newLease(id)
	require.Eventually(x, func() bool {
		holder, err := AcquireLease(x.Context(), x, other)
		return err == nil && holder == other
	}, persistence.LeaseTTL+timeout, tick)
	return time.Now()
}

func freeAcquired(x *leaseExercise) {
	lease := x.acquireFree(booking.NewTrainID())
	require.Equal(x, lease, x.acquire(lease), "idempotent")
	x.acquireFree(booking.NewTrainID()) // each train has its own
}

func heldReturnsHolder(x *leaseExercise) {
	held := x.acquireFree(booking.NewTrainID())
	other, elsewhere := newLease(held.Train), held
	other.Address = "10.0.0.7:8090"
	elsewhere.Address = other.Address
	require.Equal(x, held, x.acquire(other))
	require.Equal(x, held, x.acquire(elsewhere), "the address is part of the holder")
}

// manyAcquired acquires many leases, of which every third is held by another, and releases as many.
func manyAcquired(x *leaseExercise) {
	leases := make([]persistence.Lease, 300)
	held := map[booking.TrainID]persistence.Lease{}
	for i := range leases {
		leases[i] = newLease(booking.NewTrainID())
		if i%3 == 0 {
			held[leases[i].Train] = x.acquireFree(leases[i].Train)
		}
	}
	for range 2 { // idempotent
		holders, err := x.AcquireLeases(x.Context(), leases)
		require.NoError(x, err)
		require.Len(x, holders, len(leases))
		for i, holder := range holders {
			want := leases[i]
			if i%3 == 0 {
				want = held[want.Train]
			}
			require.NoError(x, holder.Err)
			require.Equal(x, want, holder.Value.Lease, "lease %d", i)
			require.Positive(x, holder.Value.Left)
			require.LessOrEqual(x, holder.Value.Left, persistence.LeaseTTL)
		}
	}
	require.NoError(x, x.ReleaseLeases(x.Context(), leases))
	for i, lease := range leases {
		next := newLease(lease.Train)
		want := next
		if i%3 == 0 {
			want = held[lease.Train]
		}
		require.Equal(x, want, x.acquire(next), "lease %d", i)
	}
	holders, err := x.AcquireLeases(x.Context(), nil)
	require.NoError(x, err)
	require.Empty(x, holders)
	require.NoError(x, x.ReleaseLeases(x.Context(), nil))
}

func oneOfManyAcquires(x *leaseExercise) {
	id := booking.NewTrainID()
	leases := make([]persistence.Lease, 8)
	for i := range leases {
		leases[i] = newLease(id)
	}
	holders := together(len(leases), func(i int) persistence.Lease {
		holder, err := AcquireLease(x.Context(), x, leases[i])
		if err != nil {
			return persistence.Lease{}
		}
		return holder
	})
	require.Contains(x, leases, holders[0])
	for _, holder := range holders {
		require.Equal(x, holders[0], holder)
	}
}

func releasedLeaseFree(x *leaseExercise) {
	lease := x.acquireFree(booking.NewTrainID())
	for range 2 { // idempotent
		require.NoError(x, ReleaseLease(x.Context(), x, lease))
	}
	x.acquireFree(lease.Train)
}

func onlyHolderReleases(x *leaseExercise) {
	lease := x.acquireFree(booking.NewTrainID())
	elsewhere := lease
	elsewhere.Address = "10.0.0.7:8090"
	for _, other := range []persistence.Lease{newLease(lease.Train), elsewhere, newLease(booking.NewTrainID())} {
		require.NoError(x, ReleaseLease(x.Context(), x, other))
	}
	require.Equal(x, lease, x.acquire(newLease(lease.Train)))
}

func renewalReportsLost(x *leaseExercise) {
	first, second := x.acquireFree(booking.NewTrainID()), x.acquireFree(booking.NewTrainID())
	results := x.renew(first, newLease(second.Train), newLease(booking.NewTrainID()), second)
	require.NoError(x, results[0])
	require.ErrorIs(x, results[1], persistence.ErrFenced, "another holds it")
	require.ErrorIs(x, results[2], persistence.ErrFenced, "nobody holds it")
	require.NoError(x, results[3])
	require.Empty(x, x.renew())
}

func thousandRenewed(x *leaseExercise) {
	leases := make([]persistence.Lease, 1000)
	for i := range leases {
		leases[i] = newLease(booking.NewTrainID())
		if i%2 == 0 {
			x.acquire(leases[i])
		}
	}
	for i, err := range x.renew(leases...) {
		if i%2 == 0 {
			require.NoError(x, err)
		} else {
			require.ErrorIs(x, err, persistence.ErrFenced)
		}
	}
}

// leaseExpires acquires the lease again in between, which does not renew it.
func leaseExpires(x *leaseExercise) {
	sent := time.Now()
	lease := x.acquireFree(booking.NewTrainID())
	require.Eventually(x, func() bool { return time.Since(sent) > persistence.LeaseTTL/2 }, timeout, tick)
	again := time.Now()
	holders, err := x.AcquireLeases(x.Context(), []persistence.Lease{lease})
	require.NoError(x, err)
	require.Equal(x, lease, holders[0].Value.Lease)
	require.LessOrEqual(x, holders[0].Value.Left, persistence.LeaseTTL-again.Sub(sent)+clockError, "what is left of it")
	free := x.awaitFree(lease.Train)
	require.GreaterOrEqual(x, free.Sub(sent), persistence.LeaseTTL-clockError)
	require.Less(x, free.Sub(again), persistence.LeaseTTL)
	require.ErrorIs(x, x.renew(lease)[0], persistence.ErrFenced)
}

func renewedKept(x *leaseExercise) {
	lease := x.acquireFree(booking.NewTrainID())
	granted := time.Now()
	require.Eventually(x, func() bool {
		results, err := x.RenewLeases(x.Context(), []persistence.Lease{lease})
		return err != nil || results[0] != nil || time.Since(granted) > persistence.LeaseTTL+clockError
	}, persistence.LeaseTTL+timeout, persistence.LeaseRenew/4)
	require.Equal(x, lease, x.acquire(newLease(lease.Train)))
}
