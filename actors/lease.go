package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

const (
	// leasesPerCall bounds one pipeline of renewals, so that it is answered in time.
	leasesPerCall = 1000
	// renewRetry is how soon renewals are tried again that failed.
	renewRetry = 250 * time.Millisecond
	// maxReleases bounds the tries to give a lease up. One that stays keeps its train from
	// everybody until it ends.
	maxReleases = 3
)

// errLeaseOver says that an activation took so long to load that its lease has ended.
var errLeaseOver = errors.New("the lease has ended")

// elsewhereError says that another process owns the train.
type elsewhereError struct{ address string }

func (e *elsewhereError) Error() string { return "the train is owned by " + e.address }

// started is the origin of monotonic time: what a lease is judged by.
var started = time.Now()

func monotonic() time.Duration { return time.Since(started) }

// tenure is the time for which an activation owns its train. nil is the tenure of an
// activation that is alone: it has no end.
type tenure struct {
	lease persistence.Lease
	until atomic.Int64 // monotonic
	lost  func()       // called when it is over, perhaps more than once
}

// valid reports whether the train may be served. It is asked before acting and before
// replying (RELIABILITY.md 2).
func (t *tenure) valid() bool {
	return t == nil || monotonic() < time.Duration(t.until.Load())
}

// grant extends the tenure after a call that was sent at a time and was granted. One that
// is over stays over: its activation is closing.
func (t *tenure) grant(sent time.Duration) {
	for until := t.until.Load(); monotonic() < time.Duration(until); until = t.until.Load() {
		if t.until.CompareAndSwap(until, endOf(sent)) {
			return
		}
	}
}

// endOf is until when a lease counts that was granted to a call sent at a time.
func endOf(sent time.Duration) int64 {
	return int64(sent + persistence.LeaseTTL - persistence.LeaseMargin)
}

func (t *tenure) end() {
	t.until.Store(0)
	t.lost()
}

// leaseKeeper takes leases and renews those that this process has, all of them together.
type leaseKeeper struct {
	contract persistence.Leases
	address  string
	system   *System

	mu   sync.Mutex
	held map[booking.TrainID]*tenure
}

// acquire takes the lease of a train for an activation. Error: *elsewhereError when
// another process has it.
func (k *leaseKeeper) acquire(ctx context.Context, train booking.TrainID, owner uuid.UUID, lost func()) (*tenure, error) {
	t := &tenure{lease: persistence.Lease{Train: train, Address: k.address, Owner: owner}, lost: lost}
	sent := monotonic()
	holder, err := k.contract.AcquireLease(ctx, t.lease)
	if err == nil && holder != t.lease && holder.Address == k.address {
		// An earlier activation of this process, which has closed, or of one that had the
		// address before and is gone: nobody serves with it.
		if err = k.contract.ReleaseLease(ctx, holder); err == nil {
			sent = monotonic()
			holder, err = k.contract.AcquireLease(ctx, t.lease)
		}
	}
	switch {
	case err != nil:
		// It may have been taken: whoever comes next must not wait for its end.
		_ = k.contract.ReleaseLease(context.WithoutCancel(ctx), t.lease)
		return nil, err
	case holder != t.lease:
		return nil, &elsewhereError{holder.Address}
	}
	t.until.Store(endOf(sent))
	k.system.metrics.leases.WithLabelValues("acquired").Inc()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.held[train] = t
	return t, nil
}

// release gives the lease up, if it is still there.
func (k *leaseKeeper) release(ctx context.Context, t *tenure) {
	k.mu.Lock()
	if k.held[t.lease.Train] == t {
		delete(k.held, t.lease.Train)
	}
	k.mu.Unlock()
	t.until.Store(0)
	err := k.contract.ReleaseLease(ctx, t.lease)
	for range maxReleases - 1 {
		if err == nil || pause(ctx, renewRetry) != nil {
			break
		}
		err = k.contract.ReleaseLease(ctx, t.lease)
	}
	if err != nil {
		k.system.log.Warn("lease not given up, it ends by itself",
			slog.String("train", t.lease.Train.String()), slog.Any("error", err))
	}
}

// run renews until ctx ends. After a failure it tries again soon; what is then over is
// told to its activation.
func (k *leaseKeeper) run(ctx context.Context) {
	wait := time.NewTimer(persistence.LeaseRenew)
	defer wait.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		err := k.renewAll(ctx)
		switch {
		case err != nil:
			k.system.log.Warn("leases not renewed", slog.Any("error", err))
			wait.Reset(renewRetry)
		default:
			if failing {
				k.system.placement.rewriteHolds()
			}
			wait.Reset(persistence.LeaseRenew)
		}
		failing = err != nil
		k.endOverdue()
	}
}

func (k *leaseKeeper) renewAll(ctx context.Context) (err error) {
	for some := range slices.Chunk(k.all(), leasesPerCall) {
		err = errors.Join(err, k.renew(ctx, some))
	}
	return err
}

func (k *leaseKeeper) renew(ctx context.Context, some []*tenure) error {
	leases := make([]persistence.Lease, len(some))
	for i, t := range some {
		leases[i] = t.lease
	}
	sent := monotonic()
	results, err := k.contract.RenewLeases(ctx, leases)
	if err != nil {
		return fmt.Errorf("renew %d leases: %w", len(leases), err)
	}
	for i, t := range some {
		if results[i] == nil {
			t.grant(sent)
			continue
		}
		if !t.valid() { // released meanwhile
			continue
		}
		k.system.metrics.leases.WithLabelValues("lost").Inc()
		k.system.log.Warn("lease lost", slog.String("train", t.lease.Train.String()))
		k.drop(t)
	}
	return nil
}

// endOverdue tells the activations whose time is over without an answer.
func (k *leaseKeeper) endOverdue() {
	for _, t := range k.all() {
		if !t.valid() {
			k.system.metrics.leases.WithLabelValues("overdue").Inc()
			k.drop(t)
		}
	}
}

func (k *leaseKeeper) drop(t *tenure) {
	k.mu.Lock()
	if k.held[t.lease.Train] == t {
		delete(k.held, t.lease.Train)
	}
	k.mu.Unlock()
	t.end()
}

func (k *leaseKeeper) all() []*tenure {
	k.mu.Lock()
	defer k.mu.Unlock()
	all := make([]*tenure, 0, len(k.held))
	for _, t := range k.held {
		all = append(all, t)
	}
	return all
}

func (k *leaseKeeper) count() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.held)
}
