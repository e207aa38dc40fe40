package operator_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/operator/v1alpha1"
	"trainbooking.dev/test/processtest"
)

// Two releases sell trains of one namespace.
func TestPlanAsksTheServiceThatSellsTheTrains(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	rail := newHarnessIn(t, h.cluster, h.namespace)
	operator := h.startOperator()
	rail.startOperator("--class", "rail")
	first, second := named(t, express, "first", nil), named(t, express, "second", set("class", "rail"))
	night := named(t, daily, "night", nil)
	require.Equal(t, processtest.Result{
		Code: 1, Out: "train/second in " + h.namespace + ", class rail: created\n    200 seats\n",
	}, rail.plan(nil, second))
	requireFailure := func(part string, got processtest.Result) {
		t.Helper()
		require.Equal(t, 2, got.Code)
		require.Empty(t, got.Out)
		require.Contains(t, got.Err, part)
	}
	requireFailure(`train/first has the class "" and train/second the class "rail"`, h.plan(nil, first, second))

	h.kubectlApply(first, second, night)
	train := h.await(h.train("first"), ownedBy(h.name()))
	other := h.await(h.train("second"), ownedBy(rail.name()))
	var s v1alpha1.TrainSchedule
	require.NoError(t, h.Get(t.Context(), client.ObjectKey{Namespace: h.namespace, Name: "night"}, &s))
	await(h, &s, sold)
	mixed := "train/first is sold by " + h.name() + " and train/second by " + rail.name()
	requireFailure(mixed, h.plan(nil, first, second))
	requireFailure(mixed, h.plan([]string{"--prune"}, first))

	shrink := named(t, express, "first", set("capacity", 100))
	require.Equal(t, 1, h.plan(nil, shrink).Code)
	for _, wrong := range []struct {
		kind string
		of   *unstructured.Unstructured
	}{
		{"train/first", shrink},
		{"trainschedule/night", night},
	} {
		got := rail.plan(nil, wrong.of)
		require.Equal(t, 2, got.Code)
		require.Contains(t, got.Out, wrong.kind+" in "+h.namespace+", sold by "+h.name()+": unknown\n    the service does not have it, but")
	}
	rail.delete(other)
	rail.awaitDeleted(other)
	pruned := rail.plan([]string{"--prune"}, named(t, express, "third", set("class", "rail")))
	require.Equal(t, 2, pruned.Code)
	for _, kind := range []string{"train/first", "trainschedule/night"} {
		require.Contains(t, pruned.Out, kind+" in "+h.namespace+", sold by "+h.name()+": unknown\n    the service does not have it, but")
	}

	// The service of the first operator is gone: the other one sells the train with no seat sold.
	operator.Kill()
	shrink = named(t, express, "first", all(set("capacity", 100), set("class", "rail")))
	shrink.SetAnnotations(map[string]string{v1alpha1.AnnotationGoneService: h.name()})
	require.Equal(t, processtest.Result{
		Code: 1, Out: "train/first in " + h.namespace + ", class rail: created\n    100 seats\n",
	}, rail.plan(nil, shrink))

	// The status says what to do about a train that another release leaves alone.
	h.edit(train, set("class", "rail"))
	h.await(train, marked[*v1alpha1.Train])
	status := h.kubectl("", "trains", "status")
	require.Zero(t, status.Code, status.Err)
	require.Regexp(t, `train/first .* rail +`+h.name()+` +give it another spec.class, or hand it over .*: "The operator of `+
		rail.name()+` leaves this Train alone`, status.Out)
}
