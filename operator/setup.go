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

// Name is the operator's name in events and as a field manager.
const Name = "trainbooking-operator"

// DefaultResync is how often the status of all Trains is updated and drift is corrected.
const DefaultResync = 30 * time.Second

const (
	// workers is the number of concurrent reconciles, which mostly wait for responses.
	workers = 16
	// minBackoff and maxBackoff bound the time between two attempts while the service is
	// unavailable. A successful poll ends the wait early.
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
	// indexTrainID is the name of the cache's index by train id.
	indexTrainID = "trainID"
)

var (
	// specOrAnnotationsChanged ignores the operator's own status updates. The start of a
	// deletion increments the generation too.
	specOrAnnotationsChanged = predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	// createdOrDeleted passes the events that can change which Train owns an id.
	createdOrDeleted = predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
)

// Service has the methods of the booking service that the operator calls. *client.Client of
// package api/client implements it.
type Service interface {
	booking.Trains
	lister
}

// Setup adds the operator to a manager, whose scheme must include v1alpha1. The service's
// token must permit changing trains. A resync of 0 means DefaultResync.
func Setup(ctx context.Context, m manager.Manager, service Service, resync time.Duration) error {
	if resync <= 0 {
		resync = DefaultResync
	}
	if err := m.GetFieldIndexer().IndexField(ctx, &v1alpha1.Train{}, indexTrainID, trainIDs); err != nil {
		return fmt.Errorf("index Trains by id: %w", err)
	}
	observed, queue := newObservations(), make(chan event.TypedGenericEvent[*v1alpha1.Train])
	r := &Reconciler{
		Client: m.GetClient(), live: m.GetAPIReader(), service: service, observed: observed, resync: resync,
		events:  m.GetEventRecorder(Name),
		backoff: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff, maxBackoff),
	}
	err := ctrl.NewControllerManagedBy(m).
		Named("train").
		For(&v1alpha1.Train{}, builder.WithPredicates(specOrAnnotationsChanged)).
		Watches(&v1alpha1.Train{}, handler.EnqueueRequestsFromMapFunc(r.sharingTrainID), builder.WithPredicates(createdOrDeleted)).
		WatchesRawSource(source.Channel(queue, &handler.TypedEnqueueRequestForObject[*v1alpha1.Train]{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
	if err != nil {
		return fmt.Errorf("set up the Train controller: %w", err)
	}
	return m.Add(&poller{trains: m.GetCache(), service: service, observed: observed, queue: queue, interval: resync})
}

// trainIDs returns the key of the index by train id.
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

// sharingTrainID returns requests for the other Trains with the same train id, whose owner may
// have changed.
func (r *Reconciler) sharingTrainID(ctx context.Context, o client.Object) []reconcile.Request {
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

// jitter lengthens d by up to a quarter, so that attempts do not coincide. It never shortens d,
// because Retry-After is a minimum.
func jitter(d time.Duration) time.Duration { return wait.Jitter(d, 0.25) }
