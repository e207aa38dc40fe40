package operator_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/operator/v1alpha1"
	"trainbooking.dev/test/kube/tools"
	"trainbooking.dev/test/processtest"
)

// kubectl runs kubectl in the namespace. Its plugin is on PATH.
func (h *harness) kubectl(stdin string, args ...string) processtest.Result {
	h.t.Helper()
	plugins := filepath.Dir(processtest.CommandOf(h.t, "kubectl-trains").Path)
	command := tools.Command(h.t, h.Kubeconfig, "kubectl", args...)
	command.Env = append(command.Env, "PATH="+plugins+":"+filepath.Dir(command.Path)+":"+os.Getenv("PATH"),
		"KUBECTL_TRAINS_NAMESPACE="+h.namespace, "KUBECTL_TRAINS_SERVICE_URL="+h.service.URL)
	command.Stdin = strings.NewReader(stdin)
	return processtest.RunToEnd(h.t, command)
}

// plan runs kubectl trains plan on manifests.
func (h *harness) plan(args []string, manifests ...*unstructured.Unstructured) processtest.Result {
	h.t.Helper()
	return h.kubectl(document(h.t, manifests...), append([]string{"trains", "plan", "-f", "-"}, args...)...)
}

// kubectlApply runs kubectl apply on manifests.
func (h *harness) kubectlApply(manifests ...*unstructured.Unstructured) {
	h.t.Helper()
	got := h.kubectl(document(h.t, manifests...), "apply", "--namespace", h.namespace, "-f", "-")
	require.Zero(h.t, got.Code, got.Err)
}

func document(t *testing.T, manifests ...*unstructured.Unstructured) string {
	t.Helper()
	var all strings.Builder
	for _, m := range manifests {
		text, err := json.Marshal(m.Object)
		require.NoError(t, err)
		all.WriteString("---\n" + string(text) + "\n")
	}
	return all.String()
}

// named returns a manifest under a name, changed by edit.
func named(t *testing.T, text, name string, edit func(spec map[string]any)) *unstructured.Unstructured {
	t.Helper()
	m := edited(t, text, edit)
	unstructured.RemoveNestedField(m.Object, "metadata", "generateName")
	m.SetName(name)
	return m
}

func (h *harness) train(name string) *v1alpha1.Train {
	h.t.Helper()
	return h.get(client.ObjectKey{Namespace: h.namespace, Name: name})
}

func TestPlanOfATrainSaysWhatApplyDoes(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	first := named(t, express, "first", nil)
	in := "train/first in " + h.namespace + ": "
	require.Equal(t, processtest.Result{Code: 1, Out: in + "created\n    200 seats\n"}, h.plan(nil, first))
	h.kubectlApply(first)
	train := h.await(h.train("first"), ready)
	in = "train/first in " + h.namespace + ", sold by " + h.name() + ": "
	require.Equal(t, processtest.Result{Out: in + "unchanged\n"}, h.plan(nil, first))

	p := h.passenger()
	h.book(p, train.Status.TrainID, 3)
	for _, seat := range []int{150, 151, 190} {
		h.book(p, train.Status.TrainID, seat)
	}
	shrink := named(t, express, "first", set("capacity", 100))
	const keeps = "The train keeps its 200 seats until these of 101 and above are free: 150-151, 190"
	require.Equal(t, processtest.Result{Code: 1, Out: in + "refused\n    " + keeps + "\n"}, h.plan(nil, shrink))
	require.EqualValues(t, 200, h.train("first").Spec.Capacity, "nothing was applied")
	h.kubectlApply(shrink)
	train = h.await(train, notReady(v1alpha1.ReasonCapacityInUse))
	require.Equal(t, keeps, conditionOf(train, v1alpha1.ConditionReady).Message)

	rename := named(t, express, "first", func(spec map[string]any) {
		set("capacity", 100)(spec)
		set("name", "Rajdhani")(spec)
		set("onSale", false)(spec)
		route("Delhi - 10:00", "Mumbai 11:00 -")(spec)
	})
	got := h.plan(nil, rename)
	require.Equal(t, processtest.Result{Code: 1, Out: in + "changed\n" +
		"    name \"Shatabdi Express\" to \"Rajdhani\", onSale true to false\n    " + keeps + "\n" +
		"    The train keeps its stations until no seat is booked or held: 4 booked, 0 held\n" +
		"    sales stop; 4 booked seats stay booked\n"}, got)
	h.kubectlApply(rename)
	h.eventually(func(context.Context) bool { return !h.find(train.Status.TrainID).Train.OnSale }, func() string { return "" })
	found := h.find(train.Status.TrainID)
	require.Equal(t, "Rajdhani", found.Train.Name)
	require.Equal(t, 200, found.Train.Capacity)
	require.Len(t, found.Train.Stops, 3)
	require.Equal(t, 4, found.Booked)

	invalid := h.plan(nil, named(t, express, "second", nil), named(t, express, "third", set("capacity", 0)))
	require.Equal(t, 2, invalid.Code)
	require.Empty(t, invalid.Out)
	require.Contains(t, invalid.Err, "spec.capacity")
}

func TestPlanOfAScheduleSaysWhichDeparturesDiverge(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.startOperator()
	until := inDays(30).String()
	base := func(spec map[string]any) { set("until", until)(spec) }
	require.Contains(t, h.plan(nil, named(t, daily, "night", base)).Out, "created\n    3")
	h.kubectlApply(named(t, daily, "night", base))
	key := client.ObjectKey{Namespace: h.namespace, Name: "night"}
	var s v1alpha1.TrainSchedule
	require.NoError(t, h.Get(t.Context(), key, &s))
	schedule := await(h, &s, sold)
	p := h.passenger()
	low, high, excepted := inDays(6), inDays(7), inDays(8)
	h.book(p, departureOf(t, schedule, low), 5)
	h.book(p, departureOf(t, schedule, high), 150)
	h.book(p, departureOf(t, schedule, excepted), 1)

	change := named(t, daily, "night", func(spec map[string]any) {
		base(spec)
		set("capacity", 100)(spec)
		exceptions(excepted.String(), inDays(9).String())(spec)
	})
	got := h.plan(nil, change)
	require.Equal(t, processtest.Result{Code: 1, Out: "trainschedule/night in " + h.namespace + ", sold by " + h.name() + ": changed\n" +
		"    capacity 200 to 100, exceptions\n" +
		"    3 departures with seats in use, of which 1 follow\n" +
		"    dropped without seats in use: 1 departure\n" +
		"    " + high.String() + " keeps its 200 seats, because these are booked or held: 150\n" +
		"    " + excepted.String() + " is withdrawn, bookings stay valid: 1 booked, 0 held\n"}, got)
	h.kubectlApply(change)
	schedule = await(h, schedule, divergedOn(high, excepted))
	require.Equal(t, 200, h.find(departureOf(t, schedule, high)).Train.Capacity)
	require.Equal(t, 100, h.find(departureOf(t, schedule, low)).Train.Capacity)
	require.Zero(t, h.plan(nil, change).Code)

	// What the manifests lack is planned as deleted only with --prune.
	other := named(t, express, "other", nil)
	require.NotContains(t, h.plan(nil, other).Out, "night")
	require.Contains(t, h.plan([]string{"--prune"}, other).Out,
		"trainschedule/night in "+h.namespace+", sold by "+h.name()+": deleted\n    3 departures with bookings, which the service keeps off sale\n")
}

func TestPluginShowsWhatIsSoldToWhom(t *testing.T) {
	t.Parallel()
	store := t.TempDir()
	h := newHarness(t, "--data-dir", store)
	h.startOperator()
	h.kubectlApply(named(t, express, "express", nil), named(t, daily, "night", nil))
	train := h.await(h.train("express"), ready)
	var s v1alpha1.TrainSchedule
	require.NoError(t, h.Get(t.Context(), client.ObjectKey{Namespace: h.namespace, Name: "night"}, &s))
	schedule := await(h, &s, sold)
	p, date := h.passenger(), inDays(3)
	id := h.book(p, train.Status.TrainID, 12)
	other := h.book(p, departureOf(t, schedule, date), 7)
	h.await(train, func(t *v1alpha1.Train) bool { return *t.Status.Booked == 1 })
	await(h, schedule, withSales(1))

	status := h.kubectl("", "trains", "status")
	require.Zero(t, status.Code, status.Err)
	require.Regexp(t, `train/express +True \(Synced\) +1 of 200 seats +`+train.Status.TrainID+` +- +`+h.name()+` *\n`, status.Out)
	require.Regexp(t, `trainschedule/night +True \(Synced\) +1 departures +`+schedule.Status.ScheduleID+` +- +`+h.name()+` *\n`, status.Out)

	suspend := named(t, express, "express", set("suspend", true))
	h.kubectlApply(suspend)
	h.eventually(func(context.Context) bool {
		return strings.Contains(h.kubectl("", "trains", "status").Out, "set spec.suspend to false")
	}, func() string { return h.kubectl("", "trains", "status").Out })
	require.Contains(t, h.plan(nil, named(t, express, "express", func(spec map[string]any) {
		set("suspend", true)(spec)
		set("capacity", 1)(spec)
	})).Out, "unchanged\n    spec.suspend is true")

	admin := processtest.CreateAdmin(t, h.service.URL, "--data-dir", store)
	token := processtest.TempFile(t, admin.Token+"\n")
	sold := h.kubectl("", "trains", "sold", "express", "--token-file", token)
	require.Zero(t, sold.Code, sold.Err)
	require.Regexp(t, `^SEAT +FROM +TO +USER +BOOKING\n12 +Delhi +Mumbai +[0-9a-f-]{36} +`+id+`\n$`, sold.Out)
	sold = h.kubectl("", "trains", "sold", "night", "--date", date.String(), "--token-file", token)
	require.Zero(t, sold.Code, sold.Err)
	require.Regexp(t, `\n7 +Delhi +Mumbai +[0-9a-f-]{36} +`+other+`\n$`, sold.Out)

	for _, c := range []struct {
		want string
		args []string
	}{
		{"expected status, sold NAME, plan -f FILE or version", []string{"sell"}},
		{"expected status, sold NAME, plan -f FILE or version", []string{"plan"}},
		{"set --token-file", []string{"sold", "express"}},
		{`"nobody" not found`, []string{"sold", "nobody", "--token-file", token}},
		{"unknown flag: --unknown; see kubectl trains --help", []string{"status", "--unknown"}},
		{"--date tomorrow: ", []string{"sold", "night", "--date", "tomorrow", "--token-file", token}},
		{"--token-file: no such file", []string{"sold", "express", "--token-file", "/nowhere"}},
		{`the path "/nowhere" does not exist`, []string{"plan", "-f", "/nowhere"}},
		{"--service-url", []string{"plan", "-f", "/nowhere", "--service-url", "localhost"}},
		{"kubectl get failed", []string{"status", "--context", "nowhere"}},
	} {
		got := h.kubectl("", append([]string{"trains"}, c.args...)...)
		require.Equal(t, 2, got.Code, c.args)
		require.Contains(t, got.Err, c.want, c.args)
	}
	help := h.kubectl("", "trains", "--help")
	require.Zero(t, help.Code)
	require.Contains(t, help.Out, "kubectl trains plan -n rail -f timetable/")
}
