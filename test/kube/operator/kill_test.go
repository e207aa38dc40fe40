package operator_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// step is an action on a Train and the state that it must lead to, even if an operator is
// killed on the way.
type step struct {
	do   func(h *harness, t *v1alpha1.Train) *v1alpha1.Train
	done func(ctx context.Context, h *harness, t *v1alpha1.Train) bool
	// The service's train afterwards; capacity 0 if it must not exist.
	capacity int
	name     string
	onSale   bool
}

var (
	create = step{
		do:       func(h *harness, _ *v1alpha1.Train) *v1alpha1.Train { return h.createNamed("express", nil) },
		done:     trainIs(func(t *v1alpha1.Train) bool { return ready(t) && *t.Status.Capacity == 200 }),
		capacity: 200, name: "Shatabdi Express", onSale: true,
	}
	change = step{
		do: func(h *harness, t *v1alpha1.Train) *v1alpha1.Train {
			h.edit(t, set("capacity", 250))
			return t
		},
		done:     trainIs(func(t *v1alpha1.Train) bool { return ready(t) && *t.Status.Capacity == 250 }),
		capacity: 250, name: "Shatabdi Express", onSale: true,
	}
	shrink = step{
		do: func(h *harness, t *v1alpha1.Train) *v1alpha1.Train {
			h.book(h.passenger(), idOf(t), 200)
			h.edit(t, func(spec map[string]any) {
				set("capacity", 100)(spec)
				set("name", "Short")(spec)
			})
			return t
		},
		done:     trainIs(notReady(v1alpha1.ReasonCapacityInUse)),
		capacity: 200, name: "Short", onSale: true,
	}
	retain = step{
		do: func(h *harness, t *v1alpha1.Train) *v1alpha1.Train {
			h.delete(t)
			return t
		},
		done:     isDeleted,
		capacity: 200, name: "Shatabdi Express",
	}
	createForCancel = step{
		do: func(h *harness, _ *v1alpha1.Train) *v1alpha1.Train {
			return h.createNamed("express", set("deletionPolicy", "Cancel"))
		},
		done: create.done, capacity: create.capacity, name: create.name, onSale: true,
	}
	cancel = step{do: retain.do, done: isDeleted}
)

func trainIs(is func(*v1alpha1.Train) bool) func(context.Context, *harness, *v1alpha1.Train) bool {
	return func(ctx context.Context, h *harness, t *v1alpha1.Train) bool {
		var got v1alpha1.Train
		return h.Get(ctx, keyOf(t), &got) == nil && is(&got)
	}
}

func isDeleted(ctx context.Context, h *harness, t *v1alpha1.Train) bool {
	var got v1alpha1.Train
	err := h.Get(ctx, keyOf(t), &got)
	return err != nil && client.IgnoreNotFound(err) == nil
}

// idOf returns the train id of a Train without spec.trainID.
func idOf(t *v1alpha1.Train) string { return string(t.UID)[:32] + "0000" }

// requireDone waits until the step is done. Then the service must have its train and no other.
func (h *harness) requireDone(s step, t *v1alpha1.Train) {
	h.t.Helper()
	h.eventually(func(ctx context.Context) bool { return s.done(ctx, h, t) }, func() string { return t.Name })
	var trains []booking.Train
	for found, err := range h.trains.Trains(h.t.Context(), booking.TrainQuery{Departed: true}) {
		require.NoError(h.t, err)
		trains = append(trains, *found.Train)
	}
	if s.capacity == 0 {
		require.Empty(h.t, trains, "a train without a resource")
		return
	}
	require.Len(h.t, trains, 1, "a train without a resource")
	require.Equal(h.t, idOf(t), trains[0].ID.String())
	require.Equal(h.t, s.capacity, trains[0].Capacity)
	require.Equal(h.t, s.name, trains[0].Name)
	require.Equal(h.t, s.onSale, trains[0].OnSale)
}

func TestOperatorCompletesTheWorkOfAKilledOne(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]step{
		"create": {create},
		"change": {create, change},
		"shrink": {create, shrink},
		"retain": {create, retain},
		"cancel": {createForCancel, cancel},
	} {
		for when, forward := range map[string]bool{"before": false, "after": true} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				killAtEachRequest(t, steps, forward)
			})
		}
	}
}

// killAtEachRequest repeats the steps. In the last one the operator is killed at its first
// request, then at its second, and so on, until it completes without reaching the breakpoint.
func killAtEachRequest(t *testing.T, steps []step, forward bool) {
	t.Helper()
	h := newHarness(t)
	for n := 0; ; n++ {
		b := &breakpoint{after: n, forward: forward, reached: make(chan string, 1), killed: make(chan struct{})}
		request := h.killAt(b, steps)
		if request == "" {
			require.GreaterOrEqual(t, n, 2, "each step takes several requests")
			return
		}
		t.Logf("killed at request %d: %s", n+1, request)
		h.reset()
	}
}

// killAt runs the steps and kills the operator at the breakpoint of the last one. It returns
// the request at which it was killed, or "" if the step was done before.
func (h *harness) killAt(b *breakpoint, steps []step) (request string) {
	h.t.Helper()
	operator := h.startOperator()
	var train *v1alpha1.Train
	last := steps[len(steps)-1]
	for _, step := range steps[:len(steps)-1] {
		train = step.do(h, train)
		h.requireDone(step, train)
	}
	h.proxy.set(b)
	train = last.do(h, train)
	h.eventually(func(ctx context.Context) bool {
		select {
		case request = <-b.reached:
			return true
		default:
			return last.done(ctx, h, train)
		}
	}, func() string { return "neither killed nor done" })
	if h.proxy.set(nil) == nil && request == "" {
		request = <-b.reached // the step is done because this request was forwarded
	}
	operator.Kill()
	close(b.killed)
	next := h.startOperator()
	h.requireDone(last, train)
	next.Kill()
	return request
}

// reset deletes all Trains and trains. No operator may be running.
func (h *harness) reset() {
	h.t.Helper()
	var all v1alpha1.TrainList
	require.NoError(h.t, h.List(h.t.Context(), &all, client.InNamespace(h.namespace)))
	for i := range all.Items {
		t := &all.Items[i]
		h.delete(t)
		h.patch(t, map[string]any{"metadata": map[string]any{"finalizers": []string{}}})
	}
	for found, err := range h.trains.Trains(h.t.Context(), booking.TrainQuery{Departed: true}) {
		require.NoError(h.t, err)
		require.NoError(h.t, h.trains.DeleteTrain(h.t.Context(), found.Train.ID, true))
	}
}
