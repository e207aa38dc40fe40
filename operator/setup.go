package operator

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// Name is the operator's, in leases, events and the fields that it owns.
const Name = "trainbooking-operator"

// DefaultResync is how often the figures of all Trains are brought up to date, and drift is
// looked for.
const DefaultResync = 30 * time.Second

const (
	// workers wait for the service and the API server most of the time.
	workers = 16
	// minBackoff and maxBackoff bound the waiting for a service that cannot answer. The
	// poller wakes everybody earlier once it can.
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
	// indexTrainID is the name of the cache's index by train id.
	indexTrainID = "trainID"

	// What the operator was doing when it recorded an event. Events of one reason and one
	// action become a series, of which only the first note is kept.
	actionReconcile = "Reconcile"
	actionCreate    = "Create"
	actionChange    = "Change"
	actionRemove    = "Remove"
)

var (
	// changed lets pass what an admin does, and not the operator's own status. The
	// generation moves when a deletion begins too.
	changed = predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	// comesOrGoes lets pass what changes the right to an id.
	comesOrGoes = predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
)

// Service is what the operator needs of the booking service; *client.Client is one.
type Service interface {
	booking.Trains
	lister
}

// Setup adds the operator to a manager whose scheme knows v1alpha1. The service must be
// asked with a token that may change trains. A resync of 0 is DefaultResync.
func Setup(ctx context.Context, m manager.Manager, service Service, resync time.Duration) error {
	if resync <= 0 {
		resync = DefaultResync
	}
	if err := m.GetFieldIndexer().IndexField(ctx, &v1alpha1.Train{}, indexTrainID, trainIDs); err != nil {
		return fmt.Errorf("index Trains by id: %w", err)
	}
	seen, wake := newSightings(), make(chan event.TypedGenericEvent[*v1alpha1.Train])
	r := &Reconciler{
		Client: m.GetClient(), live: m.GetAPIReader(), service: service, seen: seen, resync: resync, events: m.GetEventRecorder(Name),
		backoff: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff, maxBackoff),
	}
	err := ctrl.NewControllerManagedBy(m).
		Named("train").
		For(&v1alpha1.Train{}, builder.WithPredicates(changed)).
		Watches(&v1alpha1.Train{}, handler.EnqueueRequestsFromMapFunc(r.siblings), builder.WithPredicates(comesOrGoes)).
		WatchesRawSource(source.Channel(wake, &handler.TypedEnqueueRequestForObject[*v1alpha1.Train]{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("the controller of Trains: %w", err)
	}
	return m.Add(&poller{trains: m.GetCache(), service: service, seen: seen, wake: wake, every: resync})
}

// trainIDs is the index by train id.
func trainIDs(o client.Object) []string {
	t, ok := o.(*v1alpha1.Train)
	if !ok {
		return nil
	}
	id, err := idOf(t)
	if err != nil {
		return nil
	}
	return []string{id.String()}
}

// siblings are the other Trains with the same id: one of them may have the right to it now,
// or no more.
func (r *Reconciler) siblings(ctx context.Context, o client.Object) []reconcile.Request {
	var all v1alpha1.TrainList
	var requests []reconcile.Request
	for _, id := range trainIDs(o) {
		if err := r.List(ctx, &all, client.MatchingFields{indexTrainID: id}); err != nil {
			continue // the cache is closing
		}
	}
	for i := range all.Items {
		if all.Items[i].UID != o.GetUID() {
			requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&all.Items[i])})
		}
	}
	return requests
}

// jitter spreads what would come at once. It never shortens: Retry-After is a minimum.
func jitter(d time.Duration) time.Duration { return wait.Jitter(d, 0.25) }
