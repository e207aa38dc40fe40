package operator_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator/v1alpha1"
)

// step is an action on a resource and the state that it must lead to, even if an operator is killed on
// the way.
type step struct {
	do   func(h *harness, o client.Object) client.Object
	done func(ctx context.Context, h *harness, o client.Object) bool
	// left requires that the service has what the step leaves there, and nothing else.
	left func(h *harness, o client.Object)
}

var (
	create = step{
		do:   func(h *harness, _ client.Object) client.Object { return h.createNamed("express", nil) },
		done: trainIs(func(t *v1alpha1.Train) bool { return ready(t) && *t.Status.Capacity == 200 }),
		left: oneTrain(200, "Shatabdi Express", true),
	}
	change = step{
		do: func(h *harness, o client.Object) client.Object {
			h.edit(o, set("capacity", 250))
			return o
		},
		done: trainIs(func(t *v1alpha1.Train) bool { return ready(t) && *t.Status.Capacity == 250 }),
		left: oneTrain(250, "Shatabdi Express", true),
	}
	shrink = step{
		do: func(h *harness, o client.Object) client.Object {
			h.book(h.passenger(), idOf(o), 200)
			h.edit(o, func(spec map[string]any) {
				set("capacity", 100)(spec)
				set("name", "Short")(spec)
			})
			return o
		},
		done: trainIs(notReady(v1alpha1.ReasonCapacityInUse)),
		left: oneTrain(200, "Short", true),
	}
	remove = func(h *harness, o client.Object) client.Object {
		h.delete(o)
		return o
	}
	retain          = step{do: remove, done: isDeleted, left: oneTrain(200, "Shatabdi Express", false)}
	createForCancel = step{
		do: func(h *harness, _ client.Object) client.Object {
			return h.createNamed("express", set("deletionPolicy", "Cancel"))
		},
		done: create.done, left: create.left,
	}
	cancel         = step{do: remove, done: isDeleted, left: nothingLeft}
	createSchedule = step{
		do:   func(h *harness, _ client.Object) client.Object { return h.createSchedule("daily", nil) },
		done: scheduleIs(sold), left: oneSchedule(200),
	}
	changeSchedule = step{do: change.do, done: scheduleIs(sold), left: oneSchedule(250)}
	retainSchedule = step{do: remove, done: isDeleted, left: nothingLeft}
)

func trainIs(is func(*v1alpha1.Train) bool) func(context.Context, *harness, client.Object) bool {
	return func(ctx context.Context, h *harness, o client.Object) bool {
		var got v1alpha1.Train
		return h.Get(ctx, keyOf(o), &got) == nil && is(&got)
	}
}

func scheduleIs(is func(*v1alpha1.TrainSchedule) bool) func(context.Context, *harness, client.Object) bool {
	return func(ctx context.Context, h *harness, o client.Object) bool {
		var got v1alpha1.TrainSchedule
		return h.Get(ctx, keyOf(o), &got) == nil && is(&got)
	}
}

func isDeleted(ctx context.Context, h *harness, o client.Object) bool {
	err := h.Get(ctx, keyOf(o), o.DeepCopyObject().(client.Object))
	return err != nil && client.IgnoreNotFound(err) == nil
}

// idOf returns the train id of a Train without spec.trainID.
func idOf(o client.Object) string { return string(o.GetUID())[:32] + "0000" }

func oneTrain(capacity int, name string, onSale bool) func(*harness, client.Object) {
	return func(h *harness, o client.Object) {
		h.t.Helper()
		trains := h.allTrains()
		require.Len(h.t, trains, 1, "a train without a resource")
		require.Equal(h.t, idOf(o), trains[0].ID.String())
		require.Equal(h.t, capacity, trains[0].Capacity)
		require.Equal(h.t, name, trains[0].Name)
		require.Equal(h.t, onSale, trains[0].OnSale)
	}
}

func oneSchedule(capacity int) func(*harness, client.Object) {
	return func(h *harness, o client.Object) {
		h.t.Helper()
		schedules := h.allSchedules()
		require.Len(h.t, schedules, 1, "a schedule without a resource")
		uid, err := uuid.Parse(string(o.GetUID()))
		require.NoError(h.t, err)
		require.Equal(h.t, booking.ScheduleIDOf(uid), schedules[0].ID)
		require.Equal(h.t, capacity, schedules[0].Capacity)
	}
}

func nothingLeft(h *harness, _ client.Object) {
	h.t.Helper()
	require.Empty(h.t, h.allTrains(), "a train without a resource")
	require.Empty(h.t, h.allSchedules(), "a schedule without a resource")
}

func (h *harness) allTrains() (trains []*booking.Train) {
	h.t.Helper()
	for found, err := range h.trains.Trains(h.t.Context(), booking.TrainQuery{Departed: true}) {
		require.NoError(h.t, err)
		trains = append(trains, found.Train)
	}
	return trains
}

func (h *harness) allSchedules() (schedules []*booking.Schedule) {
	h.t.Helper()
	for found, err := range h.trains.EachSchedule(h.t.Context(), booking.PageRequest{}) {
		require.NoError(h.t, err)
		schedules = append(schedules, found.Schedule)
	}
	return schedules
}

// requireDone waits until the step is done. Then the service must have what it leaves.
func (h *harness) requireDone(s step, o client.Object) {
	h.t.Helper()
	h.eventually(func(ctx context.Context) bool { return s.done(ctx, h, o) }, o.GetName)
	s.left(h, o)
}

func TestOperatorCompletesTheWorkOfAKilledOne(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]step{
		"create": {create},
		"change": {create, change},
		"shrink": {create, shrink},
		"retain": {create, retain},
		"cancel": {createForCancel, cancel},

		"create a schedule": {createSchedule},
		"change a schedule": {createSchedule, changeSchedule},
		"retain a schedule": {createSchedule, retainSchedule},
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
	var o client.Object
	last := steps[len(steps)-1]
	for _, step := range steps[:len(steps)-1] {
		o = step.do(h, o)
		h.requireDone(step, o)
	}
	h.proxy.set(b)
	o = last.do(h, o)
	h.eventually(func(ctx context.Context) bool {
		select {
		case request = <-b.reached:
			return true
		default:
			return last.done(ctx, h, o)
		}
	}, func() string { return "neither killed nor done" })
	if h.proxy.set(nil) == nil && request == "" {
		request = <-b.reached // the step is done because this request was forwarded
	}
	operator.Kill()
	close(b.killed)
	next := h.startOperator()
	h.requireDone(last, o)
	next.Kill()
	return request
}

// reset deletes all resources, and what the service has. No operator may be running.
func (h *harness) reset() {
	h.t.Helper()
	var trains v1alpha1.TrainList
	require.NoError(h.t, h.List(h.t.Context(), &trains, client.InNamespace(h.namespace)))
	for i := range trains.Items {
		h.deleteAtOnce(&trains.Items[i])
	}
	var schedules v1alpha1.TrainScheduleList
	require.NoError(h.t, h.List(h.t.Context(), &schedules, client.InNamespace(h.namespace)))
	for i := range schedules.Items {
		h.deleteAtOnce(&schedules.Items[i])
	}
	for _, schedule := range h.allSchedules() {
		require.NoError(h.t, h.trains.DeleteSchedule(h.t.Context(), schedule.ID, booking.CancelBooked))
	}
	for _, train := range h.allTrains() {
		require.NoError(h.t, h.trains.DeleteTrain(h.t.Context(), train.ID, true))
	}
}

func (h *harness) deleteAtOnce(o client.Object) {
	h.t.Helper()
	h.delete(o)
	h.patch(o, map[string]any{"metadata": map[string]any{"finalizers": []string{}}})
}

// delete deletes the resource without waiting for its finalizers.
func (h *harness) delete(o client.Object) {
	h.t.Helper()
	require.NoError(h.t, h.Delete(h.t.Context(), o))
}
