package operator

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"trainbooking.dev/operator/v1alpha1"
)

// finalize applies the deletion policy at the service and removes the finalizer. It returns a
// result while the resource has to wait, and nil once the finalizer is removed. What is gone has
// departed, and the service may have retired it.
func (r *Reconciler[R, W, F]) finalize(ctx context.Context, t R, gone bool) (*result, error) {
	if !controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer) {
		return nil, nil // only finalizers of others are left
	}
	names, common := r.kind.names(), r.kind.common(t)
	id, err := idOf(t)
	if abandoned(t) || err != nil {
		return nil, r.abandon(ctx, t)
	}
	if common.suspend {
		return deleting(fmt.Sprintf("Waiting for spec.suspend to be false; the annotation %s: \"true\" removes this %s "+
			"at once and leaves the %s at the service unchanged", v1alpha1.AnnotationAbandon, names.resource, names.noun), nil), nil
	}
	problem, err := r.conflict(ctx, r, t)
	if err != nil {
		return nil, err
	}
	if problem != "" { // what the service has belongs to another resource
		return nil, r.removeFinalizer(ctx, t)
	}
	reason, note, err := r.kind.remove(ctx, id, common.policy, gone)
	if err != nil {
		return deleting("Waiting for the service: "+describe(err), err), nil
	}
	r.record(t, corev1.EventTypeNormal, reason, actionRemove, note)
	return nil, r.removeFinalizer(ctx, t)
}

func abandoned(o client.Object) bool { return o.GetAnnotations()[v1alpha1.AnnotationAbandon] == "true" }

// abandon removes the finalizer without a request to the service.
func (r *Reconciler[R, W, F]) abandon(ctx context.Context, t R) error {
	id, _ := idOf(t) // zero if it is not valid, and then the service has nothing
	r.record(t, corev1.EventTypeWarning, v1alpha1.EventAbandoned, actionRemove,
		fmt.Sprintf("The service was not called: if it has the %s %s, it keeps it unchanged", r.kind.names().noun, id))
	return r.removeFinalizer(ctx, t)
}

func deleting(message string, cause error) *result {
	return &result{ready: metav1.ConditionFalse, reason: v1alpha1.ReasonDeleting, message: message, cause: cause}
}

// addFinalizer keeps the resource from being deleted before finalize has run.
func (r *Reconciler[R, W, F]) addFinalizer(ctx context.Context, t R) error {
	return r.patchFinalizers(ctx, t, controllerutil.AddFinalizer)
}

func (r *Reconciler[R, W, F]) removeFinalizer(ctx context.Context, t R) error {
	return client.IgnoreNotFound(r.patchFinalizers(ctx, t, controllerutil.RemoveFinalizer))
}

// patchFinalizers uses optimistic locking, because the patch replaces the whole list.
func (r *Reconciler[R, W, F]) patchFinalizers(
	ctx context.Context, t R, change func(client.Object, string) bool,
) error {
	before := copyOf(t)
	if !change(t, v1alpha1.Finalizer) {
		return nil
	}
	err := r.Patch(ctx, t, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}), FieldOwner)
	if err != nil {
		return fmt.Errorf("patch the finalizers: %w", err)
	}
	return nil
}
