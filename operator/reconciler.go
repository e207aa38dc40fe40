package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
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

// Reconciler brings one Train after another to what its spec says. Setup makes it.
type Reconciler struct {
	client.Client

	live    client.Reader // not the cache
	service booking.Trains
	seen    *sightings
	events  events.EventRecorder
	backoff workqueue.TypedRateLimiter[reconcile.Request]
	resync  time.Duration
}

var _ reconcile.Reconciler = (*Reconciler)(nil)

// Reconcile does what there is to do for one Train, and tells the outcome in its status,
// by one patch, or none where the status says it already.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (result reconcile.Result, err error) {
	seen, looked := r.seen.take(request.NamespacedName)
	t := &v1alpha1.Train{}
	if err := r.Get(ctx, request.NamespacedName, t); err != nil {
		r.backoff.Forget(request)
		return result, client.IgnoreNotFound(err)
	}
	status := t.Status.DeepCopy()
	v, err := r.decide(ctx, t, status, seen, looked)
	if err == nil {
		err = ctx.Err() // what failed because the operator ends is no news
	}
	if err != nil || v == nil {
		return result, err
	}
	v.write(status, t.Generation)
	if err := r.tell(ctx, t, status); err != nil {
		return result, err
	}
	r.report(t, *v)
	return r.next(ctx, request, *v)
}

// decide goes through the steps in their order. The first that comes to a verdict ends it;
// no verdict and no error: the Train is gone, or nothing is to be told.
func (r *Reconciler) decide(
	ctx context.Context, t *v1alpha1.Train, status *v1alpha1.TrainStatus, seen *booking.Availability, looked bool,
) (*verdict, error) {
	if looked {
		show(status, seen)
	}
	if !t.DeletionTimestamp.IsZero() {
		return r.remove(ctx, t)
	}
	if t.Spec.Suspend {
		return &verdict{
			ready: metav1.ConditionFalse, reason: v1alpha1.ReasonSuspended,
			message: "The train is left as it is, as spec.suspend is true",
		}, nil
	}
	elder, err := r.elder(ctx, t)
	if err != nil {
		return nil, err
	}
	if elder != "" {
		show(status, nil)
		return invalid("Train " + elder + " is older and has the same trainID: delete one of them"), nil
	}
	want, err := wanted(t)
	if err != nil {
		return invalid(sentence(err)), nil
	}
	marked := controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer)
	if marked && settled(t) && (!looked || seen != nil && want.Same(seen.Train)) {
		return synced(), nil
	}
	if !marked {
		if err := r.mark(ctx, t); err != nil {
			return nil, err
		}
	}
	return r.sync(ctx, t, status, want)
}

func synced() *verdict {
	return &verdict{
		ready: metav1.ConditionTrue, reason: v1alpha1.ReasonSynced,
		message: "The service sells what the spec says",
	}
}

func invalid(message string) *verdict {
	return &verdict{ready: metav1.ConditionFalse, reason: v1alpha1.ReasonInvalid, message: message, stalled: true}
}

func unavailable(err error) *verdict {
	return &verdict{
		ready: metav1.ConditionFalse, reason: v1alpha1.ReasonServiceUnavailable, message: sentence(err), cause: err,
	}
}

// elder names the Train that has the better right to the id of t; "" where it is t itself.
func (r *Reconciler) elder(ctx context.Context, t *v1alpha1.Train) (string, error) {
	id, err := idOf(t)
	if err != nil {
		return "", nil //nolint:nilerr // wanted tells it
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

// mark adds the finalizer. From then on the Train cannot go without its train being looked for.
func (r *Reconciler) mark(ctx context.Context, t *v1alpha1.Train) error {
	return r.finalize(ctx, t, controllerutil.AddFinalizer)
}

// finalize changes the finalizers. The list is sent as a whole, so it must be the newest.
func (r *Reconciler) finalize(
	ctx context.Context, t *v1alpha1.Train, change func(client.Object, string) bool,
) error {
	before := t.DeepCopy()
	if !change(t, v1alpha1.Finalizer) {
		return nil
	}
	err := r.Patch(ctx, t, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), FieldOwner)
	if err != nil {
		return fmt.Errorf("change the finalizers: %w", err)
	}
	return nil
}

// next says when to come back. What only a person can mend is a terminal error, which is
// logged and counted, and not tried again.
func (r *Reconciler) next(ctx context.Context, request reconcile.Request, v verdict) (reconcile.Result, error) {
	if v.cause == nil {
		r.backoff.Forget(request)
	}
	switch {
	case v.stalled:
		return reconcile.Result{}, reconcile.TerminalError(errors.New(v.message))
	case v.cause != nil:
		wait := r.backoff.When(request)
		if e, ok := errors.AsType[*booking.Error](v.cause); ok {
			wait = max(wait, e.RetryAfter)
		}
		wait = jitter(wait)
		log.FromContext(ctx).Info("the service cannot answer", "retry", wait, "cause", v.cause.Error())
		return reconcile.Result{RequeueAfter: wait}, nil
	case v.retry > 0:
		return reconcile.Result{RequeueAfter: jitter(v.retry)}, nil
	}
	return reconcile.Result{}, nil
}

// report records an event where the verdict is news, and bad. Good news are recorded by
// who makes them.
func (r *Reconciler) report(t *v1alpha1.Train, v verdict) {
	if v.ready == metav1.ConditionTrue || v.reason == reasonOf(t) && v.message == messageOf(t) {
		return
	}
	kind := corev1.EventTypeWarning
	if v.reason == v1alpha1.ReasonSuspended {
		kind = corev1.EventTypeNormal
	}
	r.event(t, kind, v.reason, actionReconcile, v.message)
}

// event records an event about t. A note has 1,024 bytes at most, or it is refused.
func (r *Reconciler) event(t *v1alpha1.Train, kind, reason, action, note string) {
	const longest = 1000
	if len(note) > longest {
		note = string([]rune(note[:longest])) + " …"
	}
	r.events.Eventf(t, nil, kind, reason, action, "%s", note)
}
