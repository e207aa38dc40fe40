package operator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/operator/v1alpha1"
	"trainbooking.dev/test/kube/tools"
)

// name returns the default name of the service.
func (h *harness) name() string { return strings.TrimPrefix(h.proxy.service.URL, "http://") }

// ownedBy returns a condition: the Train is Ready, and the service owns it.
func ownedBy(service string) func(*v1alpha1.Train) bool {
	return func(t *v1alpha1.Train) bool { return ready(t) && t.Status.Service == service }
}

// marked reports whether the operator of another service has marked the resource.
func marked[R client.Object](o R) bool {
	c := conditionOf(o, v1alpha1.ConditionStalled)
	return c != nil && c.Reason == v1alpha1.ReasonOtherService
}

func (h *harness) annotate(o client.Object, name, value string) {
	h.t.Helper()
	h.patch(o, map[string]any{"metadata": map[string]any{"annotations": map[string]any{name: value}}})
}

// awaitPolls waits until an operator has compared its resources with its service that many times. One without
// resources does not read the service, but looks at all resources as often.
func awaitPolls(n int32, of ...*harness) {
	of[0].t.Helper()
	polls := func() (sum int32) {
		for _, h := range of {
			sum += h.proxy.polls.Load()
		}
		return sum
	}
	last := polls() + n
	of[0].eventually(func(context.Context) bool { return polls() >= last }, func() string { return "no polls" })
}

// versions returns the resourceVersion of each Train and TrainSchedule of the namespace, which any write
// changes.
func (h *harness) versions() map[string]string {
	h.t.Helper()
	var trains v1alpha1.TrainList
	var schedules v1alpha1.TrainScheduleList
	versions := map[string]string{}
	require.NoError(h.t, h.List(h.t.Context(), &trains, client.InNamespace(h.namespace)))
	require.NoError(h.t, h.List(h.t.Context(), &schedules, client.InNamespace(h.namespace)))
	for i := range trains.Items {
		versions["train "+trains.Items[i].Name] = trains.Items[i].ResourceVersion
	}
	for i := range schedules.Items {
		versions["schedule "+schedules.Items[i].Name] = schedules.Items[i].ResourceVersion
	}
	return versions
}

// Two releases that were installed with the defaults sell each resource at one service, and write nothing
// once the status says so.
func TestTwoOperatorsOfOneClassDoNotFight(t *testing.T) {
	t.Parallel()
	a := newHarness(t)
	b := newHarnessIn(t, a.cluster, a.namespace)
	a.startOperator()
	b.startOperator()
	var trains []*v1alpha1.Train
	for range 10 {
		trains = append(trains, a.create(nil))
	}
	invalid := a.create(route("München", "Mu\u0308nchen")) // only a service refuses it
	schedule := await(a, a.createSchedule("", nil), sold)
	await(a, schedule, marked[*v1alpha1.TrainSchedule])
	other := map[string]*harness{a.name(): b, b.name(): a}
	require.Nil(t, other[schedule.Status.Service].findSchedule(scheduleIDOf(t, schedule)))
	for _, train := range trains {
		train = a.await(train, func(t *v1alpha1.Train) bool { return ready(t) && marked(t) })
		loser := other[train.Status.Service]
		require.Nil(t, loser.find(idOf(train)), "it is on sale at two services")
		message := conditionOf(train, v1alpha1.ConditionStalled).Message
		require.Contains(t, message, "The operator of "+loser.name()+" leaves this Train alone")
	}
	a.await(invalid, func(t *v1alpha1.Train) bool {
		return isNotReady(t, v1alpha1.ReasonInvalid) && conditionOf(t, v1alpha1.ConditionStalled) != nil
	})

	before := a.versions()
	for range 10 { // the last figures may be written after the conditions
		awaitPolls(4, a, b)
		now := a.versions()
		if maps.Equal(before, now) {
			break
		}
		before = now
	}
	for range 6 {
		awaitPolls(10, a, b)
	}
	require.Equal(t, before, a.versions(), "an operator has written something")
}

func TestClassDecidesWhichServiceSellsANewTrain(t *testing.T) {
	t.Parallel()
	rail := newHarness(t)
	other := newHarnessIn(t, rail.cluster, rail.namespace)
	rail.startOperator("--class", "rail")
	other.startOperator()
	nobodys := rail.create(set("class", "bus"))
	train := rail.await(rail.create(set("class", "rail")), ownedBy(rail.name()))
	classless := rail.await(rail.create(nil), ownedBy(other.name()))
	require.Nil(t, rail.find(classless.Status.TrainID))
	require.Nil(t, other.find(train.Status.TrainID))
	schedule := await(rail, rail.createSchedule("", set("class", "rail")), sold)
	require.Equal(t, rail.name(), schedule.Status.Service)
	require.Nil(t, other.findSchedule(scheduleIDOf(t, schedule)))

	// Another class does not move a train that is on sale, nor stop it from following the spec.
	p := rail.passenger()
	rail.book(p, train.Status.TrainID, 7)
	rail.edit(train, all(func(spec map[string]any) { spec["class"] = nil }, set("capacity", 300)))
	train = rail.await(train, func(t *v1alpha1.Train) bool { return ownedBy(rail.name())(t) && marked(t) })
	require.Nil(t, other.find(train.Status.TrainID))
	rail.await(train, func(t *v1alpha1.Train) bool { return fmt.Sprint(figures(t)) == "[300 1 0 299]" })
	rail.edit(train, set("class", "rail"))
	rail.await(train, func(t *v1alpha1.Train) bool { return ready(t) && !marked(t) })

	// Its deletion is that of the owner too.
	rail.edit(train, set("class", "bus"))
	rail.delete(train)
	rail.awaitDeleted(train)
	require.False(t, rail.find(train.Status.TrainID).Train.OnSale)

	nobodys = rail.get(keyOf(nobodys))
	require.Empty(t, nobodys.Status.Service)
	require.Empty(t, nobodys.Finalizers)
}

func TestResourcesOfAGoneServiceAreHandedOver(t *testing.T) {
	t.Parallel()
	gone := newHarness(t)
	next := newHarnessIn(t, gone.cluster, gone.namespace)
	first := gone.startOperator()
	train := gone.await(gone.create(nil), ownedBy(gone.name()))
	deleted := gone.await(gone.create(nil), ownedBy(gone.name()))
	abandoned := gone.await(gone.create(nil), ownedBy(gone.name()))
	schedule := await(gone, gone.createSchedule("", nil), sold)
	first.Kill()
	next.startOperator()
	for _, o := range []*v1alpha1.Train{train, deleted, abandoned} {
		next.await(o, marked[*v1alpha1.Train])
	}
	await(next, schedule, marked[*v1alpha1.TrainSchedule])
	next.delete(deleted)
	next.delete(abandoned)
	next.annotate(abandoned, v1alpha1.AnnotationAbandon, "true")
	next.awaitDeleted(abandoned)
	next.await(next.create(nil), ownedBy(next.name()))
	awaitPolls(3, next)
	require.Nil(t, next.find(train.Status.TrainID), "what another service owns was put at this one")

	tools.Run(t, next.Kubeconfig, "kubectl", "annotate", "trains,trainschedules", "--namespace", next.namespace,
		"--field-selector", "status.service="+gone.name(), v1alpha1.AnnotationGoneService+"="+gone.name())
	train = next.await(train, func(t *v1alpha1.Train) bool { return ownedBy(next.name())(t) && !marked(t) })
	next.awaitEvent(train, v1alpha1.EventTakenOver, "from "+gone.name())
	await(next, schedule, func(s *v1alpha1.TrainSchedule) bool { return sold(s) && s.Status.Service == next.name() })
	next.awaitDeleted(deleted)
	require.NotNil(t, next.find(train.Status.TrainID))
	require.NotNil(t, next.findSchedule(scheduleIDOf(t, schedule)))
}

// The release was installed again under another name, with the same database.
func TestBookingsSurviveARenamedService(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	operator := h.startOperator("--service-name", "rail/old")
	train := h.await(h.create(nil), ownedBy("rail/old"))
	p := h.passenger()
	id := h.book(p, train.Status.TrainID, 7)
	operator.Kill()
	h.startOperator("--service-name", "rail/new")
	train = h.await(train, marked[*v1alpha1.Train])
	require.True(t, h.find(train.Status.TrainID).Train.OnSale)
	h.annotate(train, v1alpha1.AnnotationGoneService, "rail/old")
	h.await(train, func(t *v1alpha1.Train) bool { return ownedBy("rail/new")(t) && *t.Status.Booked == 1 })
	requireConfirmed(t, p, id)
}

func TestServiceThatIsDeclaredGoneAndRunsSaysSo(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	train := h.await(h.create(nil), ready)
	h.annotate(train, v1alpha1.AnnotationGoneService, h.name())
	h.awaitEvent(train, v1alpha1.EventDeclaredGone, "but its operator runs")
	h.annotate(train, v1alpha1.AnnotationGoneService, "another")
	h.edit(train, set("capacity", 250))
	h.await(train, ready)
}

// The operator that has marked a Train was uninstalled.
func TestMarkIsRemovedWhenTheOwnerStartsAgain(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	other := newHarnessIn(t, h.cluster, h.namespace)
	operator := h.startOperator()
	train := h.await(h.create(nil), ready)
	uninstalled := other.startOperator()
	h.await(train, marked[*v1alpha1.Train])
	uninstalled.Stop()
	operator.Stop()
	h.startOperator()
	h.await(train, func(t *v1alpha1.Train) bool { return ready(t) && !marked(t) })
}

// A resource that the version before put on sale has a finalizer and no service. Such an operator may still
// run during an upgrade: its status does not have the field.
func TestTrainOfTheVersionBeforeIsClaimed(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	operator := h.startOperator()
	train := h.await(h.create(nil), ready)
	h.book(h.passenger(), train.Status.TrainID, 7)
	operator.Kill()
	train = h.get(keyOf(train))
	train.Status.Service = ""
	require.NoError(t, h.Status().Update(t.Context(), train))
	h.startOperator()
	train = h.await(train, ownedBy(h.name()))

	status, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.SchemeGroupVersion.String(), "kind": "Train",
		"status": map[string]any{"observedGeneration": train.Generation, "conditions": []metav1.Condition{
			*conditionOf(train, v1alpha1.ConditionReady),
		}},
	})
	require.NoError(t, err)
	require.NoError(t, h.Status().Patch(t.Context(), train, client.RawPatch(types.ApplyPatchType, status),
		client.FieldOwner("trainbooking-operator"), client.ForceOwnership))
	require.Equal(t, h.name(), train.Status.Service)
	h.await(train, func(t *v1alpha1.Train) bool { return ready(t) && fmt.Sprint(figures(t)) == "[200 1 0 199]" })
}
