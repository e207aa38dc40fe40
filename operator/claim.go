package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"trainbooking.dev/operator/v1alpha1"
)

// conflictRetry is how long the operator waits for its cache after a conflict.
const conflictRetry = 100 * time.Millisecond

// own returns the resource, claimed if it is free, and whether the service owns it.
func (r *Reconciler[R, W, F]) own(ctx context.Context, t R) (R, bool, error) {
	_, known := r.known.LoadOrStore(client.ObjectKeyFromObject(t), true)
	switch r.standing(t, r.kind.common(t)) {
	case owned:
		if known || !r.kind.common(t).marked() {
			return t, true, nil
		}
		t, err := r.removeMark(ctx, t)
		return t, true, err
	case free:
		return r.claim(ctx, t)
	case disowned:
		r.record(t, corev1.EventTypeWarning, v1alpha1.EventDeclaredGone, actionClaim, fmt.Sprintf(
			"The annotation %s declares the service %s gone, but its operator runs: it no longer changes this %s",
			v1alpha1.AnnotationGoneService, r.service, r.kind.names().resource))
		return t, false, nil
	}
	return t, false, r.leave(ctx, t)
}

// claim makes the service the owner of the resource. The API server accepts the claim of only one operator,
// because the others have an older version of the resource. The Ready condition of a former owner does not
// describe this service, so the claim replaces it.
func (r *Reconciler[R, W, F]) claim(ctx context.Context, t R) (R, bool, error) {
	if !t.GetDeletionTimestamp().IsZero() && !controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer) {
		return t, false, nil // only finalizers of others are left
	}
	former := r.kind.common(t).service
	message := fmt.Sprintf("The service %s takes over from %s, which is gone", r.service, former)
	status := map[string]any{"service": r.service}
	if former != "" {
		status["conditions"] = []metav1.Condition{{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonPending,
			Message: message, ObservedGeneration: t.GetGeneration(), LastTransitionTime: metav1.Now(),
		}}
	}
	got, err := r.applyOwn(ctx, t, status)
	if apierrors.IsNotFound(err) {
		return t, false, nil
	}
	if err != nil {
		return t, false, fmt.Errorf("claim for the service %s (this needs the CRDs of this version): %w", r.service, err)
	}
	if former != "" {
		r.record(t, corev1.EventTypeNormal, v1alpha1.EventTakenOver, actionClaim, message)
		r.kind.observe(got, nil)
	}
	return got, true, nil
}

// leave marks a resource of another service, or removes the mark. It removes the finalizer of an abandoned
// resource, because the operator of its service may not run any more.
func (r *Reconciler[R, W, F]) leave(ctx context.Context, t R) error {
	if !t.GetDeletionTimestamp().IsZero() && abandoned(t) && controllerutil.ContainsFinalizer(t, v1alpha1.Finalizer) {
		return r.abandon(ctx, t)
	}
	common := r.kind.common(t)
	message := r.markMessage(t, common, r.kind.names().resource)
	if !r.needsMark(common, message) {
		return nil
	}
	status := map[string]any{}
	if message != "" {
		status["conditions"] = []metav1.Condition{{
			Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonOtherService,
			Message: message, ObservedGeneration: t.GetGeneration(), LastTransitionTime: metav1.Now(),
		}}
	}
	_, err := r.applyOwn(ctx, t, status)
	return client.IgnoreNotFound(err)
}

// applyOwn applies the status fields that only the operator of this service writes, with the service as the
// field manager: that it owns the resource, or leaves it alone. It fails with a conflict if t is not the latest
// version.
func (r *Reconciler[R, W, F]) applyOwn(ctx context.Context, t R, status map[string]any) (R, error) {
	got := r.kind.empty()
	got.SetNamespace(t.GetNamespace())
	got.SetName(t.GetName())
	body, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.SchemeGroupVersion.String(), "kind": r.kind.names().resource,
		"metadata": map[string]any{
			"namespace": t.GetNamespace(), "name": t.GetName(),
			"uid": t.GetUID(), "resourceVersion": t.GetResourceVersion(),
		},
		"status": status,
	})
	if err != nil {
		return got, err
	}
	return got, r.Status().Patch(ctx, got, client.RawPatch(types.ApplyPatchType, body),
		client.FieldOwner(r.service), client.ForceOwnership)
}

// removeMark removes the mark of another operator, once for each resource. An operator that still runs sets it
// again; one that was uninstalled does not.
func (r *Reconciler[R, W, F]) removeMark(ctx context.Context, t R) (R, error) {
	path := fmt.Sprintf("/status/conditions/%d", slices.IndexFunc(*r.kind.common(t).conditions, isMark))
	body, err := json.Marshal([]map[string]any{
		{"op": "test", "path": path + "/reason", "value": v1alpha1.ReasonOtherService},
		{"op": "remove", "path": path},
	})
	if err != nil {
		return t, err
	}
	got := copyOf(t)
	if err := r.Status().Patch(ctx, got, client.RawPatch(types.JSONPatchType, body), FieldOwner); err != nil {
		r.known.Delete(client.ObjectKeyFromObject(t))
		return t, fmt.Errorf("remove a mark: %w", err)
	}
	return got, nil
}
