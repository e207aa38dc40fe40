package operator_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// step is something that is done with a Train, and what it must come to whoever operates.
type step struct {
	do   func(r *rail, t *v1alpha1.Train) *v1alpha1.Train
	done func(ctx context.Context, r *rail, t *v1alpha1.Train) bool
	// left are the capacity and the name of the train that the service has then, 0 where it
	// has none.
	capacity int
	name     string
	onSale   bool
}

var (
	create = step{
		do:       func(r *rail, _ *v1alpha1.Train) *v1alpha1.Train { return r.createNamed("express", nil) },
		done:     reads(func(t *v1alpha1.Train) bool { return ready(t) && *t.Status.Capacity == 200 }),
		capacity: 200, name: "Shatabdi Express", onSale: true,
	}
	change = step{
		do: func(r *rail, t *v1alpha1.Train) *v1alpha1.Train {
			r.edit(t, set("capacity", 250))
			return t
		},
		done:     reads(func(t *v1alpha1.Train) bool { return ready(t) && *t.Status.Capacity == 250 }),
		capacity: 250, name: "Shatabdi Express", onSale: true,
	}
	shrink = step{
		do: func(r *rail, t *v1alpha1.Train) *v1alpha1.Train {
			r.book(r.passenger(), idOf(t), 200)
			r.edit(t, func(spec map[string]any) {
				set("capacity", 100)(spec)
				set("name", "Short")(spec)
			})
			return t
		},
		done:     reads(because(v1alpha1.ReasonCapacityInUse)),
		capacity: 200, name: "Short", onSale: true,
	}
	retain = step{
		do: func(r *rail, t *v1alpha1.Train) *v1alpha1.Train {
			r.delete(t)
			return t
		},
		done:     isGone,
		capacity: 200, name: "Shatabdi Express",
	}
	createForCancel = step{
		do: func(r *rail, _ *v1alpha1.Train) *v1alpha1.Train {
			return r.createNamed("express", set("deletionPolicy", "Cancel"))
		},
		done: create.done, capacity: create.capacity, name: create.name, onSale: true,
	}
	cancel = step{do: retain.do, done: isGone}
)

func reads(is func(*v1alpha1.Train) bool) func(context.Context, *rail, *v1alpha1.Train) bool {
	return func(ctx context.Context, r *rail, t *v1alpha1.Train) bool {
		var got v1alpha1.Train
		return r.Get(ctx, keyOf(t), &got) == nil && is(&got)
	}
}

func isGone(ctx context.Context, r *rail, t *v1alpha1.Train) bool {
	var got v1alpha1.Train
	err := r.Get(ctx, keyOf(t), &got)
	return err != nil && client.IgnoreNotFound(err) == nil
}

// idOf is the id of a Train that names none.
func idOf(t *v1alpha1.Train) string { return string(t.UID)[:32] + "0000" }

// come waits until the step has come to what it must, and looks at what the service has: the
// train, and none beside it.
func (r *rail) come(to step, t *v1alpha1.Train) {
	r.t.Helper()
	r.until(func(ctx context.Context) bool { return to.done(ctx, r, t) }, func() string { return t.Name })
	var left []booking.Train
	for found, err := range r.trains.Trains(r.t.Context(), booking.TrainQuery{}) {
		require.NoError(r.t, err)
		left = append(left, *found.Train)
	}
	if to.capacity == 0 {
		require.Empty(r.t, left, "a train that nobody has")
		return
	}
	require.Len(r.t, left, 1, "a train that nobody has")
	require.Equal(r.t, idOf(t), left[0].ID.String())
	require.Equal(r.t, to.capacity, left[0].Capacity)
	require.Equal(r.t, to.name, left[0].Name)
	require.Equal(r.t, to.onSale, left[0].OnSale)
}

func TestOperatorKilledBetweenAnyTwoCallsLeavesNothingThatTheNextDoesNotSettle(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]step{
		"create": {create},
		"change": {create, change},
		"shrink": {create, shrink},
		"retain": {create, retain},
		"cancel": {createForCancel, cancel},
	} {
		for when, carriedOut := range map[string]bool{"before": false, "after": true} {
			t.Run(name+" "+when, func(t *testing.T) {
				t.Parallel()
				killAtEachCall(t, steps, carriedOut)
			})
		}
	}
}

// killAtEachCall goes through the steps again and again. The operator is killed in the last
// one: at its first call, at its second, until there is none left.
func killAtEachCall(t *testing.T, steps []step, carriedOut bool) {
	t.Helper()
	r := newRail(t)
	for calls := 0; ; calls++ {
		s := &stop{after: calls, carriedOut: carriedOut, reached: make(chan string, 1), killed: make(chan struct{})}
		call := r.killOnce(steps, s)
		if call == "" {
			require.GreaterOrEqual(t, calls, 2, "each of these takes several calls")
			return
		}
		t.Logf("killed at call %d: %s", calls+1, call)
		r.forget()
	}
}

// killOnce returns the call at which the operator was killed; "" when it had come to the end
// before.
func (r *rail) killOnce(steps []step, s *stop) (call string) {
	r.t.Helper()
	operator := r.operate()
	var train *v1alpha1.Train
	last := steps[len(steps)-1]
	for _, step := range steps[:len(steps)-1] {
		train = step.do(r, train)
		r.come(step, train)
	}
	r.gate.set(s)
	train = last.do(r, train)
	r.until(func(ctx context.Context) bool {
		select {
		case call = <-s.reached:
			return true
		default:
			return last.done(ctx, r, train)
		}
	}, func() string { return "neither killed nor done" })
	if r.gate.set(nil) == nil && call == "" {
		call = <-s.reached // it is done because this call was carried out
	}
	operator.Kill()
	close(s.killed)
	next := r.operate()
	r.come(last, train)
	next.Kill()
	return call
}

// forget takes everything away, so that a test can begin anew. No operator runs.
func (r *rail) forget() {
	r.t.Helper()
	var all v1alpha1.TrainList
	require.NoError(r.t, r.List(r.t.Context(), &all, client.InNamespace(r.namespace)))
	for i := range all.Items {
		t := &all.Items[i]
		r.delete(t)
		r.patch(t, map[string]any{"metadata": map[string]any{"finalizers": []string{}}})
	}
	for found, err := range r.trains.Trains(r.t.Context(), booking.TrainQuery{}) {
		require.NoError(r.t, err)
		require.NoError(r.t, r.trains.DeleteTrain(r.t.Context(), found.Train.ID, true))
	}
}
