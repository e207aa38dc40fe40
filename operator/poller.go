package operator

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"trainbooking.dev/operator/v1alpha1"
)

// poller runs its polls at an interval, on the leader only.
type poller struct {
	polls    []poll
	interval time.Duration
}

// poll compares all resources of a kind with what the service has.
type poll interface {
	run(ctx context.Context) error
}

// Start implements manager.Runnable. It polls immediately, then at each interval until ctx is
// done.
func (p *poller) Start(ctx context.Context) error {
	ticker := time.NewTicker(p.interval)
	defer ticker.Stop()
	for {
		p.runAll(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// runAll sets the metrics if every poll succeeds.
func (p *poller) runAll(ctx context.Context) {
	start, complete := time.Now(), true
	for _, poll := range p.polls {
		if err := poll.run(ctx); err != nil {
			complete = false
			if ctx.Err() == nil {
				log.FromContext(ctx).Info("cannot compare with the service", "cause", err.Error())
			}
		}
	}
	if complete {
		resyncSeconds.Set(time.Since(start).Seconds())
		lastResync.SetToCurrentTime()
	}
}

// pollOf lists what the service has of a kind and enqueues the resources that differ, with what it
// observed.
type pollOf[R client.Object, W, F any] struct {
	cache client.Reader
	identity
	kind     kind[R, W, F]
	observed *observations[F]
	queue    chan<- event.TypedGenericEvent[R]
}

// run compares all resources with the whole list of the service, which it does not read if there are none.
// A resource that is created or deleted meanwhile may be enqueued needlessly; the reconciler reads it again.
func (p *pollOf[R, W, F]) run(ctx context.Context) error {
	missing, err := p.byID(ctx)
	if err != nil || len(missing) == 0 {
		return err
	}
	for found, err := range p.kind.all(ctx) {
		if err != nil {
			return fmt.Errorf("list the %ss of the service: %w", p.kind.names().noun, err)
		}
		id := p.kind.idOf(&found)
		t, ours := missing[id]
		if !ours {
			continue
		}
		delete(missing, id)
		if p.needsReconcile(t, &found) {
			p.enqueue(ctx, t, &found)
		}
	}
	for _, t := range missing {
		common := p.kind.common(t)
		if common.suspend {
			continue // its figures stay as they were
		}
		if common.isReady(t) && common.readyCondition().Reason != v1alpha1.ReasonDeparted || awaitsService(t, common) {
			p.enqueue(ctx, t, nil)
		}
	}
	return nil
}

// byID returns the resources of this service by their ids; of several with the same id, the oldest. They
// belong to the cache and must not be modified. It enqueues those to claim or to mark.
func (p *pollOf[R, W, F]) byID(ctx context.Context) (map[uuid.UUID]R, error) {
	all, err := p.kind.list(ctx, p.cache)
	if err != nil {
		return nil, fmt.Errorf("list the %ss: %w", p.kind.names().resource, err)
	}
	byID, reasons := make(map[uuid.UUID]R, len(all)), map[string]int{}
	for _, t := range all {
		common := p.kind.common(t)
		is := p.standing(t, common)
		if is == free || p.needsMark(common, p.markMessage(t, common, p.kind.names().resource)) {
			p.send(ctx, t)
		}
		switch is {
		case owned, free:
			reasons[common.metricReason()]++
		case taken: // the service in its status may be gone
			reasons[v1alpha1.ReasonOtherService]++
		}
		if is != owned {
			continue
		}
		id, err := idOf(t)
		if err != nil {
			continue
		}
		if other, found := byID[id]; !found || older(t, other) {
			byID[id] = t
		}
	}
	setReasons(p.kind.names().noun, reasons)
	return byID, nil
}

// needsReconcile reports whether the status or what the service has is out of date.
func (p *pollOf[R, W, F]) needsReconcile(t R, found *F) bool {
	common := p.kind.common(t)
	if awaitsService(t, common) || p.kind.outdated(t, found) || !common.showsResult() {
		return true
	}
	if common.suspend || !common.isReady(t) {
		return false
	}
	want, err := p.kind.wanted(t)
	if _, gone := p.kind.departed(t, &want, time.Now()); gone {
		return common.readyCondition().Reason != v1alpha1.ReasonDeparted
	}
	return err != nil || !p.kind.same(&want, found) || !controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer)
}

// awaitsService reports whether a resource may be waiting for the service to be available.
func awaitsService(o client.Object, c common) bool {
	return !c.suspend && c.readyCondition().Reason == v1alpha1.ReasonServiceUnavailable || !o.GetDeletionTimestamp().IsZero()
}

func (p *pollOf[R, W, F]) enqueue(ctx context.Context, t R, found *F) {
	p.observed.set(client.ObjectKeyFromObject(t), found)
	p.send(ctx, t)
}

func (p *pollOf[R, W, F]) send(ctx context.Context, t R) {
	select {
	case p.queue <- event.TypedGenericEvent[R]{Object: t}:
	case <-ctx.Done():
	}
}

// observations are what the poller read and the reconciler has not processed yet. They are safe for
// concurrent use.
type observations[F any] struct {
	mu    sync.Mutex
	found map[types.NamespacedName]*F // nil if the service does not have it
}

func newObservations[F any]() *observations[F] {
	return &observations[F]{found: map[types.NamespacedName]*F{}}
}

func (o *observations[F]) set(name types.NamespacedName, found *F) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.found[name] = found
}

// take removes and returns the latest observation of a resource, and whether there was one.
func (o *observations[F]) take(name types.NamespacedName) (found *F, polled bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	found, polled = o.found[name]
	delete(o.found, name)
	return found, polled
}
