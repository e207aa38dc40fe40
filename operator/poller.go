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

// lister lists what the service sells, page by page, as client.Client does.
type lister interface {
	Trains(ctx context.Context, query booking.TrainQuery) iter.Seq2[booking.Availability, error]
}

// poller finds the Trains that are not what their status says, by one list of the service's
// trains each time, and hands them to the reconciler with what it saw. It runs where the
// leader runs.
type poller struct {
	trains  client.Reader // the cache
	service lister
	seen    *sightings
	wake    chan<- event.TypedGenericEvent[*v1alpha1.Train]
	every   time.Duration
}

// Start implements manager.Runnable. The first poll is at once.
func (p *poller) Start(ctx context.Context) error {
	ticker := time.NewTicker(p.every)
	defer ticker.Stop()
	for {
		if err := p.poll(ctx); err != nil && ctx.Err() == nil {
			log.FromContext(ctx).Info("the trains of the service cannot be listed", "cause", err.Error())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// poll compares all Trains with all trains. A Train that comes or goes meanwhile may be
// taken for one that differs: the reconciler looks again.
func (p *poller) poll(ctx context.Context) error {
	start := time.Now()
	left, err := p.byID(ctx)
	if err != nil {
		return err
	}
	for found, err := range p.service.Trains(ctx, booking.TrainQuery{Page: booking.PageRequest{Limit: booking.MaxPageLimit}}) {
		if err != nil {
			return err
		}
		t := left[found.Train.ID]
		if t == nil {
			continue
		}
		delete(left, found.Train.ID)
		if differs(t, &found) {
			p.hand(ctx, t, &found)
		}
	}
	for _, t := range left {
		if settled(t) || waits(t) {
			p.hand(ctx, t, nil)
		}
	}
	resyncSeconds.Set(time.Since(start).Seconds())
	lastResync.SetToCurrentTime()
	return nil
}

// byID returns the Trains by the ids of their trains, as the cache has them: they must not
// be changed. Of several with one id it is the one with the best right.
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

// differs reports whether the reconciler has something to do about the Train.
func differs(t *v1alpha1.Train, found *booking.Availability) bool {
	if waits(t) {
		return true
	}
	shown := t.Status.DeepCopy()
	show(shown, found)
	if !equality.Semantic.DeepEqual(shown, &t.Status) {
		return true
	}
	if !settled(t) {
		return false
	}
	want, err := wanted(t)
	return err != nil || !want.Same(found.Train) || !controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer)
}

// waits reports whether the Train waits for the service, which answers now.
func waits(t *v1alpha1.Train) bool {
	return reasonOf(t) == v1alpha1.ReasonServiceUnavailable || !t.DeletionTimestamp.IsZero()
}

func (p *poller) hand(ctx context.Context, t *v1alpha1.Train, found *booking.Availability) {
	p.seen.put(client.ObjectKeyFromObject(t), found)
	select {
	case p.wake <- event.TypedGenericEvent[*v1alpha1.Train]{Object: t}:
	case <-ctx.Done():
	}
}

// sightings are the trains that the poller saw and the reconciler has not yet looked at.
// Safe for concurrent use.
type sightings struct {
	mu   sync.Mutex
	seen map[types.NamespacedName]*booking.Availability // nil: the service had none
}

func newSightings() *sightings {
	return &sightings{seen: map[types.NamespacedName]*booking.Availability{}}
}

func (s *sightings) put(of types.NamespacedName, found *booking.Availability) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[of] = found
}

// take returns what was seen last, and whether anything was, and forgets it.
func (s *sightings) take(of types.NamespacedName) (found *booking.Availability, looked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, looked = s.seen[of]
	delete(s.seen, of)
	return found, looked
}
