package operator

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
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

// Reconciler makes the service have what the specs of the resources of one kind say. Setup creates it.
// It is safe for concurrent use on different resources.
type Reconciler[R client.Object, W, F any] struct {
	client.Client
	identity

	kind     kind[R, W, F]
	live     client.Reader // reads from the API server, not from the cache
	observed *observations[F]
	events   events.EventRecorder
	backoff  workqueue.TypedRateLimiter[reconcile.Request]
	resync   time.Duration
	known    sync.Map // the names of the resources that were reconciled
}

// Reconcile reconciles one resource and writes its status with at most one patch.
func (r *Reconciler[R, W, F]) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	observed, polled := r.observed.take(request.NamespacedName)
	t := r.kind.empty()
	if err := r.Get(ctx, request.NamespacedName, t); err != nil {
		r.backoff.Forget(request)
		r.known.Delete(request.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	t, ours, err := r.own(ctx, t)
	if err != nil || !ours {
		return afterConflict(err)
	}
	next := copyOf(t)
	res, err := r.reconcile(ctx, t, next, observed, polled)
	if err == nil {
		err = ctx.Err() // a failure caused by shutdown must not reach the status
	}
	if err != nil || res == nil {
		return afterConflict(err)
	}
	res.setConditions(r.kind.common(next), t.GetGeneration())
	if err := r.patchStatus(ctx, t, next); err != nil {
		return afterConflict(err)
	}
	r.recordResult(t, *res)
	return r.requeue(ctx, request, *res)
}

// afterConflict retries soon after a conflict, and returns other errors.
func afterConflict(err error) (reconcile.Result, error) {
	if apierrors.IsConflict(err) {
		return reconcile.Result{RequeueAfter: jitter(conflictRetry)}, nil
	}
	return reconcile.Result{}, err
}

func copyOf[R client.Object](t R) R { return t.DeepCopyObject().(R) }

// reconcile runs the steps in order until one returns a result. They write the new status into next. It
// returns neither a result nor an error if the resource was deleted or its status needs no change.
func (r *Reconciler[R, W, F]) reconcile(ctx context.Context, t, next R, observed *F, polled bool) (*result, error) {
	want, wantErr := r.kind.wanted(t)
	last, gone := r.kind.departed(t, &want, time.Now())
	if polled && (observed != nil || !gone) { // what is retired keeps its last figures
		r.kind.observe(next, observed)
	}
	if !t.GetDeletionTimestamp().IsZero() {
		return r.finalize(ctx, t, gone)
	}
	if r.kind.common(t).suspend {
		return r.suspend(ctx, t, want), nil
	}
	problem, err := r.conflict(ctx, r, t)
	if err != nil {
		return nil, err
	}
	if problem != "" {
		r.kind.observe(next, nil)
		return invalid(problem), nil
	}
	if wantErr != nil {
		return invalid(describe(wantErr)), nil
	}
	if gone {
		r.setID(t, next)
		return r.hasDeparted(last), nil
	}
	if !controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer) {
		if err := r.addFinalizer(ctx, t); err != nil {
			return nil, err
		}
	} else if r.isSettled(t, &want, observed, polled) {
		return r.synced(next), nil
	}
	return r.reconcileSpec(ctx, t, next, want)
}

// isSettled reports whether the resource is Ready and the poller, if it has read anything, has read what
// is wanted.
func (r *Reconciler[R, W, F]) isSettled(t R, want *W, observed *F, polled bool) bool {
	return r.isReady(t) && (!polled || observed != nil && r.kind.same(want, observed))
}

// setID writes the id of t at the service, which is valid, into the status of next.
func (r *Reconciler[R, W, F]) setID(t, next R) {
	if id, err := idOf(t); err == nil {
		*r.kind.common(next).statusID = id.String()
	}
}

// requeue decides when to reconcile again. A terminal error is logged and counted by
// controller-runtime, and not retried.
func (r *Reconciler[R, W, F]) requeue(
	ctx context.Context, request reconcile.Request, res result,
) (reconcile.Result, error) {
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

// suspend leaves Ready as it was. A resource without a Ready is Ready, so that nothing waits for it. A Ready of the
// previous version, False with the reason Suspended, is replaced by one that describes the service.
func (r *Reconciler[R, W, F]) suspend(ctx context.Context, t R, want W) *result {
	before := r.kind.common(t).readyCondition()
	id, err := idOf(t)
	if err == nil && before.Status == metav1.ConditionFalse && before.Reason == v1alpha1.ReasonSuspended {
		found, err := r.kind.find(ctx, id)
		if err != nil {
			return unavailable(err)
		}
		if found != nil && r.kind.same(&want, found) {
			return r.synced(t)
		}
		before.Status = metav1.ConditionUnknown
	}
	if before.Status == metav1.ConditionUnknown {
		return &result{ready: metav1.ConditionTrue, reason: v1alpha1.ReasonSuspended, message: suspendedMessage}
	}
	return suspended(before)
}

func (r *Reconciler[R, W, F]) synced(next R) *result {
	return &result{ready: metav1.ConditionTrue, reason: v1alpha1.ReasonSynced, message: r.kind.synced(next)}
}

func (r *Reconciler[R, W, F]) hasDeparted(last time.Time) *result {
	return &result{
		ready: metav1.ConditionTrue, reason: v1alpha1.ReasonDeparted,
		message: "The last time of the " + r.kind.names().noun + " is past: " + last.Format(time.RFC3339),
	}
}
