package operator_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/operator/v1alpha1"
	"trainbooking.dev/test/kube/tools"
)

// argoHealth returns the health that the sample gives a resource in Argo CD, which runs it in this
// interpreter too.
func argoHealth(t *testing.T, o client.Object) (status, message string) {
	t.Helper()
	root, err := tools.Root()
	require.NoError(t, err)
	script, err := os.ReadFile(filepath.Join(root, "docs", "samples", "argocd-health.lua"))
	require.NoError(t, err)
	text, err := json.Marshal(o)
	require.NoError(t, err)
	var object any
	require.NoError(t, json.Unmarshal(text, &object))
	l := lua.NewState()
	defer l.Close()
	l.SetGlobal("obj", toLua(l, object))
	require.NoError(t, l.DoString(string(script)))
	health := l.CheckTable(-1)
	return health.RawGetString("status").String(), health.RawGetString("message").String()
}

func toLua(l *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case map[string]any:
		table := l.NewTable()
		for name, member := range value {
			table.RawSetString(name, toLua(l, member))
		}
		return table
	case []any:
		table := l.NewTable()
		for _, element := range value {
			table.Append(toLua(l, element))
		}
		return table
	case string:
		return lua.LString(value)
	case float64:
		return lua.LNumber(value)
	case bool:
		return lua.LBool(value)
	}
	return lua.LNil
}

func TestArgoCDUnderstandsTheConditions(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	requireHealth := func(want, part string, o client.Object) {
		t.Helper()
		status, message := argoHealth(t, o)
		require.Equal(t, want, status, message)
		require.Contains(t, message, part)
	}
	train := h.create(nil)
	requireHealth("Progressing", "Waiting for the operator", train)
	h.startOperator()
	train = h.await(train, ready)
	requireHealth("Healthy", "matches the spec", train)
	requireHealth("Healthy", "matches the spec", await(h, h.createSchedule("", nil), sold))
	requireHealth("Degraded", "timeZone must be", await(h,
		h.createSchedule("", set("timeZone", "Europe/Bonn")), scheduleNotReady(v1alpha1.ReasonInvalid)))

	h.book(h.passenger(), train.Status.TrainID, 200)
	h.edit(train, set("capacity", 100))
	stale := h.get(keyOf(train))
	stale.Status.ObservedGeneration = train.Generation
	requireHealth("Progressing", "Waiting for the operator", stale)
	train = h.await(train, notReady(v1alpha1.ReasonCapacityInUse))
	requireHealth("Progressing", "keeps its 200 seats", train)
	h.edit(train, set("suspend", true))
	train = h.await(train, suspended[*v1alpha1.Train])
	requireHealth("Healthy", "while spec.suspend is true", train)
	requireHealth("Healthy", "while spec.suspend is true", h.await(h.create(set("suspend", true)), suspended[*v1alpha1.Train]))
	h.delete(train)
	requireHealth("Progressing", "Waiting for spec.suspend", h.await(train, notReady(v1alpha1.ReasonDeleting)))
}
