package operator

import (
	"context"
	"strings"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// reconcileSpec puts what is wanted at the service where it differs. It returns no result if the
// resource was deleted and the cache does not show it yet.
func (r *Reconciler[R, W, F]) reconcileSpec(ctx context.Context, t, next R, want W) (*result, error) {
	r.setID(t, next)
	id, err := idOf(t)
	if err != nil {
		return nil, err
	}
	found, err := r.kind.find(ctx, id)
	if err != nil {
		return unavailable(err), nil
	}
	r.kind.observe(next, found)
	if found != nil && r.kind.same(&want, found) {
		return r.synced(next), nil
	}
	if found == nil {
		if ok, err := r.stillWanted(ctx, t); err != nil || !ok {
			return nil, err
		}
	}
	refused, err := r.putAndFind(ctx, t, next, id, want, found)
	switch {
	case err != nil && permanent(err):
		return invalid(describe(err)), nil
	case err != nil:
		return unavailable(err), nil
	case refused != nil:
		return r.seatsInUse(refused), nil
	}
	return r.synced(next), nil
}

// stillWanted reports whether the resource exists at the API server, is not being deleted and belongs to this
// service. What was created because of a stale cache would have no resource.
func (r *Reconciler[R, W, F]) stillWanted(ctx context.Context, t R) (bool, error) {
	now := r.kind.empty()
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(t), now); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return now.GetUID() == t.GetUID() && now.GetDeletionTimestamp().IsZero() &&
		r.standing(now, r.kind.common(now)) == owned, nil
}

// putAndFind puts want and writes what the service has then into the status.
func (r *Reconciler[R, W, F]) putAndFind(
	ctx context.Context, t, next R, id uuid.UUID, want W, found *F,
) (refused []*booking.Error, err error) {
	refused, changed, err := r.put(ctx, t, want, found)
	if err == nil && changed {
		found, err = r.kind.find(ctx, id)
	}
	if err == nil {
		r.kind.observe(next, found)
	}
	return refused, err
}

// put sends want to the service. If the service refuses a part of it because of booked or held seats,
// put keeps the current one and changes the rest: a train that cannot shrink yet can still be taken off
// sale. It returns the refusals in order, and whether it changed anything.
func (r *Reconciler[R, W, F]) put(ctx context.Context, t R, want W, found *F) (refused []*booking.Error, changed bool, err error) {
	for {
		created, err := r.kind.put(ctx, &want)
		if err == nil {
			r.recordPut(t, &want, created, found)
			return refused, true, nil
		}
		e, reverted := r.kind.revert(&want, found, err)
		if !reverted {
			return nil, false, err
		}
		refused = append(refused, e)
		if r.kind.same(&want, found) {
			return refused, false, nil
		}
	}
}

// seatsInUse is the result of a change that booked or held seats block. No event announces
// that they are free, so it is retried.
func (r *Reconciler[R, W, F]) seatsInUse(refused []*booking.Error) *result {
	reasons := map[booking.Code]string{
		booking.CodeCapacityInUse: v1alpha1.ReasonCapacityInUse,
		booking.CodeHasBookings:   v1alpha1.ReasonHasBookings,
	}
	var messages []string
	for _, e := range refused {
		messages = append(messages, e.Message)
	}
	return &result{
		ready: metav1.ConditionFalse, reason: reasons[refused[0].Code], message: strings.Join(messages, ". "),
		retry: r.resync,
	}
}
