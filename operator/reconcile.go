package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// Reconciler makes the trains at the service match the specs of Trains. Setup creates it. It is
// safe for concurrent use on different Trains.
type Reconciler struct {
	client.Client

	live     client.Reader // reads from the API server, not from the cache
	service  booking.Trains
	observed *observations
	events   events.EventRecorder
	backoff  workqueue.TypedRateLimiter[reconcile.Request]
	resync   time.Duration
}

var _ reconcile.Reconciler = (*Reconciler)(nil)

// Reconcile reconciles one Train and writes its status with at most one patch.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	observed, polled := r.observed.take(request.NamespacedName)
	t := &v1alpha1.Train{}
	if err := r.Get(ctx, request.NamespacedName, t); err != nil {
		r.backoff.Forget(request)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	status := t.Status.DeepCopy()
	res, err := r.reconcile(ctx, t, status, observed, polled)
	if err == nil {
		err = ctx.Err() // a failure caused by shutdown must not reach the status
	}
	if err != nil || res == nil {
		return reconcile.Result{}, err
	}
	res.setConditions(status, t.Generation)
	if err := r.patchStatus(ctx, t, status); err != nil {
		return reconcile.Result{}, err
	}
	r.recordResult(t, *res)
	return r.requeue(ctx, request, *res)
}

// reconcile runs the steps in order until one returns a result. It returns neither a result
// nor an error if the Train was deleted or its status needs no change.
func (r *Reconciler) reconcile(
	ctx context.Context, t *v1alpha1.Train, status *v1alpha1.TrainStatus, observed *booking.Availability, polled bool,
) (*result, error) {
	want, wantErr := wanted(t)
	last, gone := departed(&want, time.Now())
	setPolled(status, observed, polled && (observed != nil || !gone)) // a retired train keeps its last figures
	if !t.DeletionTimestamp.IsZero() {
		return r.finalize(ctx, t, gone)
	}
	if t.Spec.Suspend {
		return &result{
			ready: metav1.ConditionFalse, reason: v1alpha1.ReasonSuspended,
			message: "The operator does not change the train while spec.suspend is true",
		}, nil
	}
	owner, err := r.conflictingOwner(ctx, t)
	if err != nil {
		return nil, err
	}
	if owner != "" {
		setObserved(status, nil)
		return invalid("Train " + owner + " is older and has the same trainID: delete one of them"), nil
	}
	if wantErr != nil {
		return invalid(describe(wantErr)), nil
	}
	if gone {
		status.TrainID = want.ID.String()
		return hasDeparted(last), nil
	}
	if controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer) {
		if isReady(t) && (!polled || observed != nil && want.Same(observed.Train)) {
			return synced(), nil
		}
	} else if err := r.addFinalizer(ctx, t); err != nil {
		return nil, err
	}
	return r.reconcileSpec(ctx, t, status, want)
}

// setPolled writes what the poller has read, if it has.
func setPolled(status *v1alpha1.TrainStatus, observed *booking.Availability, polled bool) {
	if polled {
		setObserved(status, observed)
	}
}

// conflictingOwner returns the namespace and name of the Train that owns the train id of t, or
// "" if t does.
func (r *Reconciler) conflictingOwner(ctx context.Context, t *v1alpha1.Train) (string, error) {
	id, err := idOf(t)
	if err != nil {
		return "", nil //nolint:nilerr // wanted reports it
	}
	var all v1alpha1.TrainList
	if err := r.List(ctx, &all, client.MatchingFields{indexTrainID: id.String()}); err != nil {
		return "", fmt.Errorf("list the Trains with id %s: %w", id, err)
	}
	for i := range all.Items {
		if o := &all.Items[i]; o.UID != t.UID && older(o, t) {
			return o.Namespace + "/" + o.Name, nil
		}
	}
	return "", nil
}

// requeue decides when to reconcile again. A terminal error is logged and counted by
// controller-runtime, and not retried.
func (r *Reconciler) requeue(ctx context.Context, request reconcile.Request, res result) (reconcile.Result, error) {
	if res.cause == nil {
		r.backoff.Forget(request)
	}
	switch {
	case res.stalled:
		return reconcile.Result{}, reconcile.TerminalError(errors.New(res.message))
	case res.cause != nil:
		wait := r.backoff.When(request)
		if e, ok := errors.AsType[*booking.Error](res.cause); ok {
			wait = max(wait, e.RetryAfter)
		}
		wait = jitter(wait)
		log.FromContext(ctx).Info("the service is unavailable", "retry", wait, "cause", res.cause.Error())
		return reconcile.Result{RequeueAfter: wait}, nil
	case res.retry > 0:
		return reconcile.Result{RequeueAfter: jitter(res.retry)}, nil
	}
	return reconcile.Result{}, nil
}
