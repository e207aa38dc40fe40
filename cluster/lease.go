package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"trainbooking.dev/persistence"
)

const (
	// leasesPerCall bounds one pipeline of renewals, so that it ends in time.
	leasesPerCall = 1000
	// RenewRetry is the wait before a failed renewal or release is repeated.
	RenewRetry = 250 * time.Millisecond
	// maxReleases bounds the attempts to release a lease. A lease that is not released keeps
	// every process from serving its train until it expires.
	maxReleases = 3
)

// NotOwnerError is returned when another process holds a lease.
type NotOwnerError struct {
	Address string
	Left    time.Duration // until the lease expires, unless it is renewed
}

func (e *NotOwnerError) Error() string { return "the lease is held by " + e.Address }

// Term is the time for which its holder may act on a lease. Safe for concurrent use.
type Term struct {
	lease persistence.Lease
	until atomic.Int64 // monotonic
	lost  func()       // called when the term ends early, perhaps more than once
}

// Shared reports whether another process may own the key after the term.
func (t *Term) Shared() bool { return t.lease != persistence.Lease{} }

// Valid reports whether the term lasts at now, which has a monotonic reading. Check it before
// each act and its response (RELIABILITY.md 2).
func (t *Term) Valid(now time.Time) bool {
	return now.Sub(processStart) < time.Duration(t.until.Load())
}

// extend extends the term after a successful renewal that was sent at a time. A term that
// has ended stays ended, because its activation is closing.
func (t *Term) extend(sent time.Duration) {
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

func (t *Term) end() {
	t.until.Store(0)
	t.lost()
}

// lessor acquires leases for this process and renews all of them together. Safe for concurrent
// use.
type lessor struct {
	store     persistence.Leases
	address   string
	event     func(LeaseEvent)
	recovered func() // renewals succeed again
	restarted func() // the store may have lost its last writes, though renewals succeed
	log       *slog.Logger

	mu   sync.Mutex
	held map[persistence.Lease]*Term
}

// acquire implements Cluster.Acquire.
func (l *lessor) acquire(ctx context.Context, wanted []Acquisition) []persistence.Result[*Term] {
	leases := make([]persistence.Lease, len(wanted))
	for i, w := range wanted {
		leases[i] = w.Lease
		leases[i].Address = l.address
	}
	found := l.attempt(ctx, leases)
	l.replaceOwn(ctx, leases, found)
	terms := make([]persistence.Result[*Term], len(wanted))
	var unacquired []persistence.Lease
	for i, f := range found {
		switch {
		case f.Err != nil:
			terms[i].Err = f.Err
			unacquired = append(unacquired, leases[i])
		case f.Value.Lease != leases[i]:
			terms[i].Err = &NotOwnerError{Address: f.Value.Address, Left: f.Value.Left}
		default:
			terms[i].Value = l.hold(&Term{lease: leases[i], lost: wanted[i].Lost}, f.sent)
		}
	}
	if len(unacquired) > 0 {
		// They may have been acquired. The next owner must not wait for their expiry.
		_ = l.store.ReleaseLeases(context.WithoutCancel(ctx), unacquired)
	}
	return terms
}

// attempted is the result of an attempt to acquire a lease.
type attempted struct {
	persistence.Result[persistence.Holder]
	sent time.Duration // monotonic
}

func (l *lessor) attempt(ctx context.Context, leases []persistence.Lease) []attempted {
	sent := monotonic()
	holders, err := l.store.AcquireLeases(ctx, leases)
	found := make([]attempted, len(leases))
	for i := range found {
		found[i].sent = sent
		if found[i].Err = err; err == nil {
			found[i].Result = holders[i]
		}
	}
	return found
}

// replaceOwn releases the leases found that this process has not released yet, or that a dead process
// had that had the same address, and attempts to acquire them again.
func (l *lessor) replaceOwn(ctx context.Context, leases []persistence.Lease, found []attempted) {
	var places []int
	var own, again []persistence.Lease
	for i, f := range found {
		if f.Err == nil && f.Value.Lease != leases[i] && f.Value.Address == l.address {
			places, own, again = append(places, i), append(own, f.Value.Lease), append(again, leases[i])
		}
	}
	if len(own) == 0 {
		return
	}
	if err := l.store.ReleaseLeases(ctx, own); err != nil {
		for _, i := range places {
			found[i].Err = err
		}
		return
	}
	for j, a := range l.attempt(ctx, again) {
		found[places[j]] = a
	}
}

// hold begins a term and returns it.
func (l *lessor) hold(t *Term, sent time.Duration) *Term {
	t.until.Store(termEnd(sent))
	l.event(LeaseAcquired)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held[t.lease] = t
	return t
}

// release implements Cluster.Release.
func (l *lessor) release(ctx context.Context, terms []*Term) {
	leases := make([]persistence.Lease, len(terms))
	for i, t := range terms {
		l.forget(t)
		t.until.Store(0)
		leases[i] = t.lease
	}
	err := l.store.ReleaseLeases(ctx, leases)
	for range maxReleases - 1 {
		if err == nil {
			return
		}
		select {
		case <-time.After(RenewRetry):
		case <-ctx.Done():
		}
		err = l.store.ReleaseLeases(ctx, leases)
	}
	if err != nil {
		l.log.Warn("leases not released; they will expire", slog.Int("leases", len(leases)), slog.Any("error", err))
	}
}

// run renews the leases until ctx ends. A failed renewal is repeated after RenewRetry.
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
		restarted, err := l.renewAll(ctx)
		switch {
		case restarted:
			l.log.Warn("the store of leases was restarted or replaced")
			l.restarted()
		case failing && err == nil:
			l.recovered()
		}
		failing = err != nil
		if failing {
			l.log.Warn("leases not renewed", slog.Any("error", err))
			wait.Reset(RenewRetry)
		} else {
			wait.Reset(persistence.LeaseRenew)
		}
		l.expireOverdue()
	}
}

func (l *lessor) renewAll(ctx context.Context) (restarted bool, err error) {
	for terms := range slices.Chunk(l.all(), leasesPerCall) {
		found, failure := l.renew(ctx, terms)
		restarted, err = restarted || found, errors.Join(err, failure)
	}
	return restarted, err
}

// renew renews leases together. It returns an error if some could not be renewed, such as those on
// one shard of the store; the others were. It reports whether the store returned ErrRestarted.
func (l *lessor) renew(ctx context.Context, terms []*Term) (restarted bool, err error) {
	leases := make([]persistence.Lease, len(terms))
	for i, t := range terms {
		leases[i] = t.lease
	}
	sent := monotonic()
	results, err := l.store.RenewLeases(ctx, leases)
	restarted = errors.Is(err, persistence.ErrRestarted)
	if err != nil && !restarted {
		return false, fmt.Errorf("renew %d leases: %w", len(leases), err)
	}
	failed, failure := 0, error(nil)
	for i, t := range terms {
		switch err := results[i]; {
		case err == nil:
			t.extend(sent)
		case !t.Valid(time.Now()): // released during the call
		case errors.Is(err, persistence.ErrFenced):
			l.event(LeaseLost)
			l.log.Warn("lease lost", slog.String("train", t.lease.Train.String()))
			l.revoke(t)
		default:
			failed, failure = failed+1, err
		}
	}
	if failed > 0 {
		return restarted, fmt.Errorf("renew %d of %d leases: %w", failed, len(leases), failure)
	}
	return restarted, nil
}

// expireOverdue revokes the terms that ended because the store did not respond.
func (l *lessor) expireOverdue() {
	for _, t := range l.all() {
		if !t.Valid(time.Now()) {
			l.event(LeaseOverdue)
			l.revoke(t)
		}
	}
}

// revoke ends a term and tells its holder.
func (l *lessor) revoke(t *Term) {
	l.forget(t)
	t.end()
}

func (l *lessor) forget(t *Term) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, t.lease)
}

func (l *lessor) all() []*Term {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := make([]*Term, 0, len(l.held))
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
