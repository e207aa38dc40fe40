package operator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/operator/v1alpha1"
	"trainbooking.dev/test/kube/tools"
)

// suspended is a condition of await: the status says that the resource is suspended at its present
// generation, and nothing that the operator does not do any more.
func suspended[R client.Object](o R) bool {
	c := conditionOf(o, v1alpha1.ConditionSuspended)
	return c != nil && c.ObservedGeneration == o.GetGeneration() &&
		conditionOf(o, v1alpha1.ConditionReconciling) == nil && conditionOf(o, v1alpha1.ConditionStalled) == nil
}

func TestSuspendedTrainStaysNotReadyAndContinues(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	h.book(h.passenger(), train.Status.TrainID, 200)
	h.edit(train, set("capacity", 100))
	train = h.await(train, notReady(v1alpha1.ReasonCapacityInUse))
	h.edit(train, set("suspend", true))
	train = h.await(train, suspended[*v1alpha1.Train])
	require.True(t, isNotReady(train, v1alpha1.ReasonCapacityInUse))

	h.edit(train, all(set("suspend", false), set("capacity", 300)))
	train = h.await(train, ready)
	require.EqualValues(t, 300, *train.Status.Capacity)
	require.Nil(t, conditionOf(train, v1alpha1.ConditionSuspended))
}

// These are the rules of kstatus, which Flux and Helm follow: a resource is current if its status is that of
// its generation, Ready is True, and nothing is Stalled or Reconciling.
func TestNobodyWaitsForATrainThatWasCreatedSuspended(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.create(set("suspend", true))
	for _, condition := range []string{"Ready", "Suspended"} {
		tools.Run(t, h.Kubeconfig, "kubectl", "wait", "train/"+train.Name, "--namespace", h.namespace,
			"--for", "condition="+condition, "--timeout", "1m")
	}
	train = h.await(train, suspended[*v1alpha1.Train])
	require.True(t, isReady(train))
	require.Equal(t, train.Generation, train.Status.ObservedGeneration)
	require.Equal(t, v1alpha1.ReasonSuspended, conditionOf(train, v1alpha1.ConditionReady).Reason)
	require.Nil(t, h.find(idOf(train)))
	schedule := await(h, h.createSchedule("", set("suspend", true)), suspended[*v1alpha1.TrainSchedule])
	require.True(t, isReady(schedule))

	h.edit(train, set("capacity", 100))
	train = h.await(train, func(t *v1alpha1.Train) bool { return suspended(t) && isReady(t) })
	require.Equal(t, train.Generation, train.Status.ObservedGeneration)
	h.edit(train, set("suspend", false))
	train = h.await(train, ready)
	require.Equal(t, v1alpha1.ReasonSynced, conditionOf(train, v1alpha1.ConditionReady).Reason)
	require.NotNil(t, h.find(train.Status.TrainID))
}

// kubectl wait waits until the condition has the generation of the spec.
func TestNobodyWaitsForASuspendedTrain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	h.edit(train, set("suspend", true))
	for _, condition := range []string{"Suspended", "Ready"} {
		tools.Run(t, h.Kubeconfig, "kubectl", "wait", "train/"+train.Name, "--namespace", h.namespace,
			"--for", "condition="+condition, "--timeout", "1m")
	}
}

// The version before set Ready to False with the reason Suspended.
func TestSuspendedTrainOfTheVersionBeforeIsReadyAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	operator := h.startOperator()
	same, other := h.await(h.create(nil), ready), h.await(h.create(nil), ready)
	operator.Kill()
	h.edit(same, set("suspend", true))
	h.edit(other, all(set("suspend", true), set("capacity", 10)))
	for _, train := range []*v1alpha1.Train{same, other} {
		train = h.get(keyOf(train))
		meta.SetStatusCondition(&train.Status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonSuspended,
			Message: "of the version before", ObservedGeneration: train.Generation, LastTransitionTime: metav1.NewTime(time.Now()),
		})
		require.NoError(t, h.Status().Update(t.Context(), train, client.FieldOwner("trainbooking-operator")))
	}
	h.startOperator()
	require.True(t, isReady(h.await(same, suspended[*v1alpha1.Train])))
	other = h.await(other, suspended[*v1alpha1.Train])
	require.Equal(t, v1alpha1.ReasonSuspended, conditionOf(other, v1alpha1.ConditionReady).Reason)
	require.True(t, isReady(other))
}
