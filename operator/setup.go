package operator

import (
	"context"
	"fmt"
	"iter"
	"strings"
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

// DefaultResync is how often the status of all resources is updated and drift is corrected.
const DefaultResync = 30 * time.Second

const (
	// workers is the number of concurrent reconciles, which mostly wait for responses.
	workers = 16
	// minBackoff and maxBackoff bound the time between two attempts while the service is
	// unavailable. A successful poll ends the wait early.
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
)

var (
	// specOrAnnotationsChanged ignores the operator's own status updates. The start of a
	// deletion increments the generation too.
	specOrAnnotationsChanged = predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})
	// createdOrDeleted passes the events that can change which resource owns an id.
	createdOrDeleted = predicate.Funcs{UpdateFunc: func(event.UpdateEvent) bool { return false }}
)

// Service has the methods of the booking service that the operator calls. *client.Client of
// package api/client implements it.
type Service interface {
	booking.Trains
	booking.Schedules
	// Trains and EachSchedule list all trains that match, and all schedules, page by page.
	Trains(ctx context.Context, query booking.TrainQuery) iter.Seq2[booking.Availability, error]
	EachSchedule(ctx context.Context, page booking.PageRequest) iter.Seq2[booking.ScheduleStatus, error]
}

// Options configures the operator.
type Options struct {
	// Service is the name of the service in status.service of the resources that it owns, at most
	// MaxServiceName bytes. Required.
	Service string
	// Class is the class of the resources that the operator may claim. "": those without a class.
	Class  string
	Resync time.Duration // 0: DefaultResync
}

// MaxServiceName is the maximum length of Options.Service, which is also the name of a field manager.
const MaxServiceName = 128

// Setup adds the operator to a manager, whose scheme must include v1alpha1. The service's
// token must permit changing trains.
func Setup(ctx context.Context, m manager.Manager, service Service, o Options) error {
	if o.Resync <= 0 {
		o.Resync = DefaultResync
	}
	for _, o := range []client.Object{&v1alpha1.Train{}, &v1alpha1.TrainSchedule{}} {
		if err := m.GetFieldIndexer().IndexField(ctx, o, indexID, idKeys); err != nil {
			return fmt.Errorf("index by id: %w", err)
		}
	}
	ofTrains, err := add(m, trains{service}, o)
	if err != nil {
		return err
	}
	ofSchedules, err := add(m, schedules{service}, o)
	if err != nil {
		return err
	}
	return m.Add(&poller{polls: []poll{ofTrains, ofSchedules}, interval: o.Resync})
}

// add adds the controller of a kind and returns its poll.
func add[R client.Object, W, F any](m manager.Manager, kind kind[R, W, F], o Options) (poll, error) {
	observed, queue := newObservations[F](), make(chan event.TypedGenericEvent[R])
	r := &Reconciler[R, W, F]{
		Client: m.GetClient(), identity: identity{o.Service, o.Class}, kind: kind, live: m.GetAPIReader(),
		observed: observed, resync: o.Resync,
		events:  m.GetEventRecorder(Name),
		backoff: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minBackoff, maxBackoff),
	}
	sharing := handler.EnqueueRequestsFromMapFunc(r.sharing)
	err := ctrl.NewControllerManagedBy(m).
		Named(strings.ToLower(kind.names().resource)).
		For(kind.empty(), builder.WithPredicates(specOrAnnotationsChanged)).
		Watches(&v1alpha1.Train{}, sharing, builder.WithPredicates(createdOrDeleted)).
		Watches(&v1alpha1.TrainSchedule{}, sharing, builder.WithPredicates(createdOrDeleted)).
		WatchesRawSource(source.Channel(queue, &handler.TypedEnqueueRequestForObject[R]{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers}).
		Complete(r)
	if err != nil {
		return nil, fmt.Errorf("set up the controller of %ss: %w", kind.names().resource, err)
	}
	return &pollOf[R, W, F]{cache: m.GetCache(), identity: r.identity, kind: kind, observed: observed, queue: queue}, nil
}

// jitter lengthens d by up to a quarter, so that attempts do not coincide. It never shortens d,
// because Retry-After is a minimum.
func jitter(d time.Duration) time.Duration { return wait.Jitter(d, 0.25) }
