package operator

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// lister lists the service's trains page by page.
type lister interface {
	Trains(ctx context.Context, query booking.TrainQuery) iter.Seq2[booking.Availability, error]
}

// poller lists the service's trains at an interval and enqueues the Trains that differ, with
// what it observed. It runs on the leader only.
type poller struct {
	trains   client.Reader // the cache
	service  lister
	observed *observations
	queue    chan<- event.TypedGenericEvent[*v1alpha1.Train]
	interval time.Duration
}

// Start implements manager.Runnable. It polls immediately, then at each interval until ctx is
// done.
func (p *poller) Start(ctx context.Context) error {
	ticker := time.NewTicker(p.interval)
	defer ticker.Stop()
	for {
		if err := p.poll(ctx); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Info("cannot list the trains of the service", "cause", err.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// poll compares all Trains with all trains of the service. A Train that is created or deleted
// during the poll may be enqueued needlessly; the reconciler reads it again.
func (p *poller) poll(ctx context.Context) error {
	start := time.Now()
	missing, err := p.byID(ctx)
	if err != nil {
		return err
	}
	all := booking.TrainQuery{Departed: true, Page: booking.PageRequest{Limit: booking.MaxPageLimit}}
	for found, err := range p.service.Trains(ctx, all) {
		if err != nil {
			return err
		}
		t := missing[found.Train.ID]
		if t == nil {
			continue
		}
		delete(missing, found.Train.ID)
		if needsReconcile(t, &found) {
			p.enqueue(ctx, t, &found)
		}
	}
	for _, t := range missing {
		if isReady(t) && readyCondition(t).Reason != v1alpha1.ReasonDeparted || awaitsService(t) {
			p.enqueue(ctx, t, nil)
		}
	}
	resyncSeconds.Set(time.Since(start).Seconds())
	lastResync.SetToCurrentTime()
	return nil
}

// byID returns the Trains by train id; of several with the same id, the one that owns it. They
// belong to the cache and must not be modified.
func (p *poller) byID(ctx context.Context) (map[booking.TrainID]*v1alpha1.Train, error) {
	var all v1alpha1.TrainList
	if err := p.trains.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return nil, fmt.Errorf("list the Trains: %w", err)
	}
	byID := make(map[booking.TrainID]*v1alpha1.Train, len(all.Items))
	countReasons(all.Items)
	for i := range all.Items {
		t := &all.Items[i]
		id, err := idOf(t)
		if err != nil {
			continue
		}
		if other := byID[id]; other == nil || older(t, other) {
			byID[id] = t
		}
	}
	return byID, nil
}

// needsReconcile reports whether the Train's status or the service's train is out of date.
func needsReconcile(t *v1alpha1.Train, found *booking.Availability) bool {
	if awaitsService(t) {
		return true
	}
	status := t.Status.DeepCopy()
	setObserved(status, found)
	if !equality.Semantic.DeepEqual(status, &t.Status) {
		return true
	}
	if !isReady(t) {
		return false
	}
	want, err := wanted(t)
	if _, gone := departed(&want, time.Now()); gone {
		return readyCondition(t).Reason != v1alpha1.ReasonDeparted
	}
	return err != nil || !want.Same(found.Train) || !controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer)
}

// awaitsService reports whether the Train may be waiting for the service to be available.
func awaitsService(t *v1alpha1.Train) bool {
	return readyCondition(t).Reason == v1alpha1.ReasonServiceUnavailable || !t.DeletionTimestamp.IsZero()
}

func (p *poller) enqueue(ctx context.Context, t *v1alpha1.Train, found *booking.Availability) {
	p.observed.set(client.ObjectKeyFromObject(t), found)
	select {
	case p.queue <- event.TypedGenericEvent[*v1alpha1.Train]{Object: t}:
	case <-ctx.Done():
	}
}

// observations are the trains that the poller read and the reconciler has not processed yet.
// They are safe for concurrent use.
type observations struct {
	mu     sync.Mutex
	trains map[types.NamespacedName]*booking.Availability // nil if the service has no such train
}

func newObservations() *observations {
	return &observations{trains: map[types.NamespacedName]*booking.Availability{}}
}

func (o *observations) set(name types.NamespacedName, found *booking.Availability) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.trains[name] = found
}

// take removes and returns the latest observation of a Train, and whether there was one.
func (o *observations) take(name types.NamespacedName) (found *booking.Availability, polled bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	found, polled = o.trains[name]
	delete(o.trains, name)
	return found, polled
}
