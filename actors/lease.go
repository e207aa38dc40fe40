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
	// leasesPerCall bounds one pipeline of renewals, so that it ends in time.
	leasesPerCall = 1000
	// renewRetry is the wait before a failed renewal or release is repeated.
	renewRetry = 250 * time.Millisecond
	// maxReleases bounds the attempts to release a lease. A lease that is not released keeps
	// every process from serving its train until it expires.
	maxReleases = 3
)

// errLeaseExpired is returned when the load of a train outlasted its lease.
var errLeaseExpired = errors.New("the lease has expired")

// notOwnerError is returned when another process owns the train.
type notOwnerError struct{ address string }

func (e *notOwnerError) Error() string { return "the train is owned by " + e.address }

// processStart is the origin of the monotonic time that lease terms are measured in.
var processStart = time.Now()

func monotonic() time.Duration { return time.Since(processStart) }

// leaseTerm is the time for which an activation owns its train. The nil term, of a process
// without a cluster, never ends. Safe for concurrent use.
type leaseTerm struct {
	lease persistence.Lease
	until atomic.Int64 // monotonic
	lost  func()       // called when the term ends early, perhaps more than once
}

// valid reports whether the train may be served. It is checked before an activation acts
// and before it responds (RELIABILITY.md 2).
func (t *leaseTerm) valid() bool {
	return t == nil || monotonic() < time.Duration(t.until.Load())
}

// extend extends the term after a successful renewal that was sent at a time. A term that
// has ended stays ended, because its activation is closing.
func (t *leaseTerm) extend(sent time.Duration) {
	for until := t.until.Load(); monotonic() < time.Duration(until); until = t.until.Load() {
		if t.until.CompareAndSwap(until, termEnd(sent)) {
			return
		}
	}
}

// termEnd returns the end of a term whose acquisition or renewal was sent at a time. It is
// earlier than the expiry of the lease in the store by at least LeaseMargin.
func termEnd(sent time.Duration) int64 {
	return int64(sent + persistence.LeaseTTL - persistence.LeaseMargin)
}

func (t *leaseTerm) end() {
	t.until.Store(0)
	t.lost()
}

// lessor acquires leases for the activations of this process, and renews all of them
// together. Safe for concurrent use.
type lessor struct {
	store   persistence.Leases
	address string
	system  *System

	mu   sync.Mutex
	held map[booking.TrainID]*leaseTerm
}

// acquire acquires the lease of a train for an activation. The error is a *notOwnerError
// when another process holds the lease.
func (l *lessor) acquire(ctx context.Context, train booking.TrainID, owner uuid.UUID, lost func()) (*leaseTerm, error) {
	t := &leaseTerm{lease: persistence.Lease{Train: train, Address: l.address, Owner: owner}, lost: lost}
	sent := monotonic()
	holder, err := l.store.AcquireLease(ctx, t.lease)
	if err == nil && holder != t.lease && holder.Address == l.address {
		// This is the lease of a closed activation of this process, or of a dead process
		// that had the same address.
		if err = l.store.ReleaseLease(ctx, holder); err == nil {
			sent = monotonic()
			holder, err = l.store.AcquireLease(ctx, t.lease)
		}
	}
	switch {
	case err != nil:
		// The lease may have been acquired. The next owner must not wait for its expiry.
		_ = l.store.ReleaseLease(context.WithoutCancel(ctx), t.lease)
		return nil, err
	case holder != t.lease:
		return nil, &notOwnerError{holder.Address}
	}
	t.until.Store(termEnd(sent))
	l.system.metrics.leases.WithLabelValues("acquired").Inc()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[train] = t
	return t, nil
}

// release ends the term and releases its lease, if the store still has it.
func (l *lessor) release(ctx context.Context, t *leaseTerm) {
	l.forget(t)
	t.until.Store(0)
	err := l.store.ReleaseLease(ctx, t.lease)
	for range maxReleases - 1 {
		if err == nil || pause(ctx, renewRetry) != nil {
			break
		}
		err = l.store.ReleaseLease(ctx, t.lease)
	}
	if err != nil {
		l.system.log.Warn("lease not released; it will expire",
			slog.String("train", t.lease.Train.String()), slog.Any("error", err))
	}
}

// run renews the leases until ctx ends. A failed renewal is repeated after renewRetry.
// Terms that end in the meantime are revoked.
func (l *lessor) run(ctx context.Context) {
	wait := time.NewTimer(persistence.LeaseRenew)
	defer wait.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		err := l.renewAll(ctx)
		switch {
		case err != nil:
			l.system.log.Warn("leases not renewed", slog.Any("error", err))
			wait.Reset(renewRetry)
		default:
			if failing {
				l.system.activations.rewriteHolds()
			}
			wait.Reset(persistence.LeaseRenew)
		}
		failing = err != nil
		l.expireOverdue()
	}
}

func (l *lessor) renewAll(ctx context.Context) (err error) {
	for terms := range slices.Chunk(l.all(), leasesPerCall) {
		err = errors.Join(err, l.renew(ctx, terms))
	}
	return err
}

func (l *lessor) renew(ctx context.Context, terms []*leaseTerm) error {
	leases := make([]persistence.Lease, len(terms))
	for i, t := range terms {
		leases[i] = t.lease
	}
	sent := monotonic()
	results, err := l.store.RenewLeases(ctx, leases)
	if err != nil {
		return fmt.Errorf("renew %d leases: %w", len(leases), err)
	}
	for i, t := range terms {
		if results[i] == nil {
			t.extend(sent)
			continue
		}
		if !t.valid() { // released during the call
			continue
		}
		l.system.metrics.leases.WithLabelValues("lost").Inc()
		l.system.log.Warn("lease lost", slog.String("train", t.lease.Train.String()))
		l.revoke(t)
	}
	return nil
}

// expireOverdue revokes the terms that ended because the store did not respond.
func (l *lessor) expireOverdue() {
	for _, t := range l.all() {
		if !t.valid() {
			l.system.metrics.leases.WithLabelValues("overdue").Inc()
			l.revoke(t)
		}
	}
}

// revoke ends a term and closes its activation.
func (l *lessor) revoke(t *leaseTerm) {
	l.forget(t)
	t.end()
}

func (l *lessor) forget(t *leaseTerm) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held[t.lease.Train] == t {
		delete(l.held, t.lease.Train)
	}
}

func (l *lessor) all() []*leaseTerm {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*leaseTerm, 0, len(l.held))
	for _, t := range l.held {
		all = append(all, t)
	}
	return all
}

func (l *lessor) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.held)
}
