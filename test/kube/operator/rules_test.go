package operator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"trainbooking.dev/operator/v1alpha1"
)

// express is the manifest of a valid Train.
const express = `
apiVersion: trainbooking.dev/v1alpha1
kind: Train
metadata: {generateName: express-}
spec:
  name: Shatabdi Express
  capacity: 200
  stops:
  - {station: Delhi, departsAt: "2040-12-01T06:00:00+05:30"}
  - {station: Jaipur, arrivesAt: "2040-12-01T10:30:00+05:30", departsAt: "2040-12-01T10:35:00+05:30"}
  - {station: Mumbai, arrivesAt: "2040-12-02T01:00:00+05:30"}
`

// manifest returns express, changed by edit.
func manifest(tb testing.TB, edit func(spec map[string]any)) *unstructured.Unstructured {
	tb.Helper()
	return edited(tb, express, edit)
}

// edited returns a manifest, changed by edit.
func edited(tb testing.TB, manifest string, edit func(spec map[string]any)) *unstructured.Unstructured {
	tb.Helper()
	object := &unstructured.Unstructured{}
	require.NoError(tb, yaml.Unmarshal([]byte(manifest), &object.Object))
	if edit != nil {
		edit(object.Object["spec"].(map[string]any))
	}
	return object
}

func set(field string, value any) func(map[string]any) {
	return func(spec map[string]any) {
		if spec[field] = value; value == nil {
			delete(spec, field)
		}
	}
}

// route sets stops, each given as "station arrives departs". A time is like 10:00 or
// 10:00+05:30, or - for none.
func route(stops ...string) func(map[string]any) {
	at := func(hour string) string {
		hour, offset, found := strings.Cut(hour, "+")
		if !found {
			return "2040-12-01T" + hour + ":00Z"
		}
		return "2040-12-01T" + hour + ":00+" + offset
	}
	var list []any
	for _, s := range stops {
		words := append(strings.Fields(s), "-", "-")
		stop := map[string]any{"station": words[0]}
		if words[1] != "-" {
			stop["arrivesAt"] = at(words[1])
		}
		if words[2] != "-" {
			stop["departsAt"] = at(words[2])
		}
		list = append(list, stop)
	}
	return set("stops", list)
}

func stations(n int, long bool) (stops []string) {
	for i := range n {
		name := fmt.Sprintf("S%d", i)
		if long {
			name += strings.Repeat("ü", 255-len(name))
		}
		stops = append(stops, fmt.Sprintf("%s %02d:%02d %02d:%02d", name, i/3, i%3*20, i/3, i%3*20+10))
	}
	return stops
}

func TestValidTrainIsAccepted(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	namespace := c.Namespace(t, nil)
	for name, edit := range map[string]func(map[string]any){
		"as it is":                     nil,
		"the largest":                  set("capacity", 20_000),
		"the smallest":                 set("capacity", 1),
		"longest name":                 set("name", strings.Repeat("ü", 255)),
		"names with joiners":           route("क्\u200dष", "نجف\u200cآباد", "র\u200d্যাডিসন", "ഷൊര്\u200dണൂര്\u200d"),
		"a name between spaces":        set("name", " \u2028Nº 5 — L’Été (A+B)\t"),
		"no times":                     route("Delhi", "Jaipur", "Mumbai"),
		"two stops":                    route("Delhi", "Mumbai"),
		"64 stops with longest names":  route(stations(64, true)...),
		"the same time everywhere":     route("A - 10:00", "B 10:00 10:00", "C 10:00"),
		"times in between are missing": route("A - 10:00", "B", "C 11:00", "D - 12:00", "E"),
		"later, at a lower hour":       route("A - 10:00+05:30", "B 05:00"),
		"a fraction of a second": set("stops", []any{
			map[string]any{"station": "A", "departsAt": "2040-12-01T06:00:00.5Z"},
			map[string]any{"station": "B", "arrivesAt": "2040-12-01T06:00:00.500000001Z"},
		}),
		"not on sale": set("onSale", false),
		"sold later":  set("salesOpenAt", "2040-11-01T06:00:00+05:30"),
		"cancel":      set("deletionPolicy", "Cancel"),
		"an id":       set("trainID", "6f1b0c3e-3a46-4ad4-9d1f-2f5b3c1d0000"),
		"suspended":   set("suspend", true),
	} {
		train := manifest(t, edit)
		train.SetNamespace(namespace)
		require.NoError(t, c.Create(t.Context(), train), name)
	}
}

func TestInvalidTrainIsRejectedWithAMessage(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	namespace := c.Namespace(t, nil)
	const late, once = "must not go back in time", "stops must call at each station once: rename or remove"
	for name, row := range map[string]struct {
		edit    func(map[string]any)
		message string
	}{
		"no name":               {set("name", nil), "spec.name: Required value"},
		"an empty name":         {set("name", ""), "spec.name: Invalid value"},
		"a name of spaces":      {set("name", "  "), "name must have a letter or digit"},
		"a name of a dash":      {set("name", "—"), "name must have a letter or digit"},
		"a name too long":       {set("name", strings.Repeat("x", 256)), "may not be more than 255"},
		"no seats":              {set("capacity", 0), "greater than or equal to 1"},
		"too many seats":        {set("capacity", 20_001), "less than or equal to 20000"},
		"half a seat":           {set("capacity", 1.5), "must be of type integer"},
		"no capacity":           {set("capacity", nil), "spec.capacity: Required value"},
		"no stops":              {set("stops", nil), "spec.stops: Required value"},
		"one stop":              {route("Delhi"), "should have at least 2 items"},
		"65 stops":              {route(stations(65, false)...), "must have at most 64 items"},
		"a station of spaces":   {set("stops", []any{map[string]any{"station": " "}, map[string]any{"station": "B"}}), "station must have a letter or digit"},
		"no station":            {set("stops", []any{map[string]any{}, map[string]any{"station": "B"}}), "spec.stops[0].station: Required value"},
		"a station twice":       {route("Delhi", "Jaipur", "Delhi"), once},
		"in another case":       {route("Delhi", "DELHI"), once},
		"departs before":        {route("A - 10:00", "B 11:00 10:59", "C"), "departsAt must not be before arrivesAt"},
		"arrives before":        {route("A - 10:00", "B 09:59"), late},
		"arrives too early":     {route("A 09:00 11:00", "B 10:00 12:00"), late},
		"one time, too early":   {route("A 09:00 11:00", "B - 10:00"), late},
		"before, stops between": {route("A - 10:00", "B", "C", "D 09:00"), late},
		"before, by the offset": {route("A - 10:00", "B 11:00+05:30"), late},
		"no time": {set("stops", []any{
			map[string]any{"station": "A", "departsAt": "at noon"}, map[string]any{"station": "B"},
		}), "spec.stops[0].departsAt"},
		"a time without an offset": {set("stops", []any{
			map[string]any{"station": "A", "departsAt": "2040-12-01T06:00:00"}, map[string]any{"station": "B"},
		}), "spec.stops[0].departsAt"},
		"sales at noon":      {set("salesOpenAt", "at noon"), "spec.salesOpenAt"},
		"another policy":     {set("deletionPolicy", "Delete"), `supported values: "Retain", "Cancel"`},
		"no id":              {set("trainID", "shatabdi"), "spec.trainID"},
		"the id of a seat":   {set("trainID", "6f1b0c3e-3a46-4ad4-9d1f-2f5b3c1d0007"), "spec.trainID"},
		"an id of zeros":     {set("trainID", "00000000-0000-0000-0000-000000000000"), "not all zero"},
		"an unknown member":  {set("onsale", true), `unknown field "spec.onsale"`},
		"onSale as a string": {set("onSale", "yes"), "must be of type boolean"},
	} {
		train := manifest(t, row.edit)
		train.SetNamespace(namespace)
		err := c.Create(t.Context(), train, client.FieldValidation(metav1.FieldValidationStrict))
		require.True(t, apierrors.IsInvalid(err) || apierrors.IsBadRequest(err), "%s: %v", name, err)
		require.ErrorContains(t, err, row.message, name)
	}
	for name, message := range hiddenNames {
		stops := []any{map[string]any{"station": "Agra"}, map[string]any{"station": name}}
		for field, edit := range map[string]func(map[string]any){"name": set("name", name), "station": set("stops", stops)} {
			train := manifest(t, edit)
			train.SetNamespace(namespace)
			err := c.Create(t.Context(), train)
			require.True(t, apierrors.IsInvalid(err), "%s %+q: %v", field, name, err)
			require.ErrorContains(t, err, field+message, "%+q", name)
		}
	}
}

// hiddenNames has names that look like others or like nothing, and the end of the message about each.
var hiddenNames = map[string]string{
	"\u3164": unseen, "a\u2800": unseen, "\u115f": unseen, "a\u1160": unseen, "\uffa0": unseen, "w1\u034f": unseen,
	"w1\ufe0f": unseen, "ក\u17b4": unseen, "ក\u17b5": unseen, "ᠠ\u180b": unseen, "ᠠ\u180f": unseen, "a\U000e0100": unseen,
	"a\u2028b": unseen, "a\u2029b": unseen, "a\ue000": unseen, "a\u0378": unseen, "a\uffff": unseen, "a\u200bb": unseen, "a\x00": unseen,
	"a\u200c": stray, "w1\u200d": stray, "\u200ca": stray, "क\u200dष": stray, "ß\u200cß": stray,
}

const unseen, stray = " must not contain control, invisible", " must not contain joiners except"

func TestTrainIDCannotChange(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	namespace := c.Namespace(t, nil)
	const id, other = "6f1b0c3e-3a46-4ad4-9d1f-2f5b3c1d0000", "7f1b0c3e-3a46-4ad4-9d1f-2f5b3c1d0000"
	for name, change := range map[string]struct{ from, to any }{
		"changed": {id, other}, "added": {nil, id}, "removed": {id, nil},
	} {
		train := manifest(t, set("trainID", change.from))
		train.SetNamespace(namespace)
		require.NoError(t, c.Create(t.Context(), train), name)
		set("capacity", int64(100))(train.Object["spec"].(map[string]any))
		require.NoError(t, c.Update(t.Context(), train), name)
		set("trainID", change.to)(train.Object["spec"].(map[string]any))
		require.ErrorContains(t, c.Update(t.Context(), train),
			"trainID cannot change: delete this Train", name)
	}
}

func TestNewTrainIsPending(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	train := manifest(t, nil)
	train.SetNamespace(c.Namespace(t, nil))
	require.NoError(t, c.Create(t.Context(), train))
	var got v1alpha1.Train
	require.NoError(t, c.Get(t.Context(), client.ObjectKeyFromObject(train), &got))
	require.Len(t, got.Status.Conditions, 1)
	ready := got.Status.Conditions[0]
	require.Equal(t, v1alpha1.ConditionReady, ready.Type)
	require.Equal(t, metav1.ConditionUnknown, ready.Status)
	require.Equal(t, v1alpha1.ReasonPending, ready.Reason)
	require.True(t, *got.Spec.OnSale)
	require.Equal(t, v1alpha1.DeletionRetain, got.Spec.DeletionPolicy)
}
