package operator_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"trainbooking.dev/operator/v1alpha1"
)

// arriving returns an edit after which the train arrives at the last of its stops at a time.
func arriving(at time.Time) func(spec map[string]any) {
	return set("stops", []any{
		map[string]any{"station": "Delhi"},
		map[string]any{"station": "Mumbai", "arrivesAt": at.Format(time.RFC3339)},
	})
}

func hasDeparted(t *v1alpha1.Train) bool {
	c := conditionOf(t, v1alpha1.ConditionReady)
	return c.Status == metav1.ConditionTrue && c.Reason == v1alpha1.ReasonDeparted && c.ObservedGeneration == t.Generation
}

func TestDepartedTrainKeepsItsFiguresAndIsNotCreatedAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train, other := h.await(h.create(nil), ready), h.await(h.create(nil), ready)
	h.book(h.passenger(), train.Status.TrainID, 7)
	h.await(train, func(t *v1alpha1.Train) bool { return *t.Status.Booked == 1 })
	h.edit(train, arriving(time.Now().Add(-time.Minute)))
	train = h.await(train, hasDeparted)
	require.Contains(t, conditionOf(train, v1alpha1.ConditionReady).Message, "is past")
	require.Equal(t, []int32{200, 1, 0, 199}, figures(train))
	require.Nil(t, conditionOf(train, v1alpha1.ConditionReconciling))

	// The service retires it. The other train shows that the operator has polled since.
	require.NoError(t, h.trains.DeleteTrain(t.Context(), h.find(train.Status.TrainID).Train.ID, true))
	requests := 0
	for range 2 {
		requests = h.proxy.requestsFor(train, train.Status.TrainID)
		found := h.find(other.Status.TrainID)
		require.NoError(t, h.trains.DeleteTrain(t.Context(), found.Train.ID, true))
		h.eventually(func(context.Context) bool { return h.find(other.Status.TrainID) != nil }, nothing)
	}
	require.Nil(t, h.find(train.Status.TrainID))
	require.Positive(t, requests)
	require.Equal(t, requests, h.proxy.requestsFor(train, train.Status.TrainID), "a poll costs no request")
	train = h.get(keyOf(train))
	require.True(t, hasDeparted(train))
	require.Equal(t, []int32{200, 1, 0, 199}, figures(train))

	h.edit(train, arriving(time.Now().Add(time.Hour)))
	train = h.await(train, func(t *v1alpha1.Train) bool { return ready(t) && !hasDeparted(t) })
	require.Equal(t, []int32{200, 0, 0, 200}, figures(train), "it is a new train")
	require.NotNil(t, h.find(train.Status.TrainID))

	h.edit(train, arriving(time.Now().Add(-time.Minute)))
	train = h.await(train, hasDeparted)
	h.delete(train)
	h.awaitDeleted(train)
	require.NotNil(t, h.find(train.Status.TrainID), "the service keeps it")
}

func TestTrainThatIsCreatedAfterItsDepartureIsNotPut(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	for _, policy := range []v1alpha1.DeletionPolicy{v1alpha1.DeletionRetain, v1alpha1.DeletionCancel} {
		train := h.await(h.create(func(spec map[string]any) {
			arriving(time.Now().Add(-time.Minute))(spec)
			set("deletionPolicy", string(policy))(spec)
		}), hasDeparted)
		require.Nil(t, h.find(train.Status.TrainID))
		require.Nil(t, train.Status.Booked)
		h.delete(train)
		h.awaitDeleted(train)
	}
}

func TestRetiredTrainThatIsCancelledIsDeleted(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(set("deletionPolicy", string(v1alpha1.DeletionCancel))), ready)
	h.edit(train, arriving(time.Now().Add(-time.Minute)))
	train = h.await(train, hasDeparted)
	require.NoError(t, h.trains.DeleteTrain(t.Context(), h.find(train.Status.TrainID).Train.ID, true))
	h.delete(train)
	h.awaitDeleted(train)
}

func nothing() string { return "" }
