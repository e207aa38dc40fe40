package operator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"trainbooking.dev/operator/v1alpha1"
)

// daily is the manifest of a valid TrainSchedule.
const daily = `
apiVersion: trainbooking.dev/v1alpha1
kind: TrainSchedule
metadata: {generateName: daily-}
spec:
  name: Shatabdi Express
  capacity: 200
  timeZone: Asia/Kolkata
  days: [mon, tue, wed, thu, fri, sat, sun]
  from: "2020-01-02"
  until: "2199-06-06"
  stops:
  - {station: Delhi, departs: "06:00"}
  - {station: Jaipur, arrives: "10:30", departs: "10:35"}
  - {station: Mumbai, arrives: "25:00"}
`

// calls sets stops, each given as "station arrives departs", with - for no time.
func calls(stops ...string) func(map[string]any) {
	var list []any
	for _, s := range stops {
		words := append(strings.Fields(s), "-", "-")
		stop := map[string]any{"station": words[0]}
		for i, field := range []string{"arrives", "departs"} {
			if words[i+1] != "-" {
				stop[field] = words[i+1]
			}
		}
		list = append(list, stop)
	}
	return set("stops", list)
}

// from sets the time at which the train leaves its first stop.
func from(departs any) func(map[string]any) {
	return set("stops", []any{
		map[string]any{"station": "A", "departs": departs}, map[string]any{"station": "B", "arrives": "240:00"},
	})
}

func days(names ...any) func(map[string]any) { return set("days", names) }

// exceptions sets dates, with + before those on which it runs.
func exceptions(dates ...string) func(map[string]any) {
	var list []any
	for _, date := range dates {
		date, runs := strings.CutPrefix(date, "+")
		list = append(list, map[string]any{"date": date, "runs": runs})
	}
	return set("exceptions", list)
}

// all makes several edits.
func all(edits ...func(map[string]any)) func(map[string]any) {
	return func(spec map[string]any) {
		for _, edit := range edits {
			edit(spec)
		}
	}
}

// manyCalls returns n stops with names of the greatest length and times of the longest form.
func manyCalls(n int) func(map[string]any) {
	var stops []string
	for i := range n {
		name := fmt.Sprintf("S%d", i)
		name += strings.Repeat("ü", 255-len(name))
		stops = append(stops, fmt.Sprintf("%s %d:%02d:59 %d:%02d:59", name, 100+i, i%3*20, 100+i, i%3*20+10))
	}
	stops[0] = strings.Replace(stops[0], " 100:00:59", " -", 1)
	stops[n-1] = stops[n-1][:strings.LastIndexByte(stops[n-1], ' ')]
	return calls(stops...)
}

// consecutive returns n dates after each other.
func consecutive(n int) (dates []string) {
	for i := range n {
		dates = append(dates, time.Date(2027, 1, 1+i, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
	return dates
}

func TestValidTrainScheduleIsAccepted(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	namespace := c.Namespace(t, nil)
	for name, edit := range map[string]func(map[string]any){
		"as it is":             nil,
		"the most of all":      all(set("name", strings.Repeat("ü", 255)), set("capacity", 20_000), manyCalls(64), exceptions(consecutive(1000)...)),
		"one day":              days("sun"),
		"by date only":         all(set("days", nil), exceptions("2026-12-24", "+2026-12-25")),
		"no days and a date":   all(days(), exceptions("+2026-12-25")),
		"on one date":          all(set("from", "2026-12-01"), set("until", "2026-12-01")),
		"exceptions at ends":   exceptions("2020-01-02", "2199-06-06"),
		"a leap day":           set("from", "2028-02-29"),
		"sold on the day":      set("soldDaysAhead", 0),
		"sold for two years":   set("soldDaysAhead", 730),
		"two stops":            calls("A - 0:00", "B 0:00"),
		"times in between":     calls("A - 05:00", "B", "C 7:00:00", "D - 07:00:01", "E 8:00"),
		"the same time":        calls("A - 10:00", "B 10:00 10:00", "C 10:00"),
		"ten days":             calls("A - 9:59:59", "B 99:59 100:00", "C 239:59:59 240:00", "D 240:00:00"),
		"zones of stops":       set("stops", []any{map[string]any{"station": "A", "departs": "9:00", "timeZone": "Etc/GMT+5"}, map[string]any{"station": "B", "arrives": "9:30", "timeZone": "America/Port-au-Prince"}}),
		"no region":            set("timeZone", "UTC"),
		"names with joiners":   calls("क्\u200dष - 1:00", "نجف\u200cآباد", "ഷൊര്\u200dണൂര്\u200d 2:00"),
		"not on sale":          set("onSale", false),
		"cancel":               set("deletionPolicy", "Cancel"),
		"an id":                set("scheduleID", "6f1b0c3e-3a46-8ad4-9d1f-2f5b00000000"),
		"suspended":            set("suspend", true),
		"a zone of three":      set("timeZone", "America/Argentina/ComodRivadavia"),
		"a name among spaces":  set("name", " \u2028Nº 5 — L’Été (A+B)\t"),
		"stations with spaces": set("stops", []any{map[string]any{"station": "A B", "departs": "1:00"}, map[string]any{"station": "A C", "arrives": "2:00"}}),
	} {
		schedule := edited(t, daily, edit)
		schedule.SetNamespace(namespace)
		require.NoError(t, c.Create(t.Context(), schedule, client.FieldValidation(metav1.FieldValidationStrict)), name)
	}
}

func TestInvalidTrainScheduleIsRejectedWithAMessage(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	namespace := c.Namespace(t, nil)
	const (
		order   = "stops must not go back in time: each arrives and departs must be at or after"
		atStop  = "departs must not be before arrives: after midnight the hours go on, as in 25:10"
		once    = "stops must call at each station once: rename or remove"
		ends    = "stops must have the time at which trains depart from the first and arrive at the last"
		beyond  = "must not have an arrival at the first and a departure from the last: remove these times"
		outside = "exceptions must be within from and until: move those, or remove the exception"
		noDay   = "days must have a day, unless exceptions have a date on which it runs"
		bounds  = "dates must be 2020-01-02 to 2199-06-06"
		zone    = "timeZone must be the name of a time zone, such as Europe/Berlin"
		departs = "spec.stops[0].departs"
	)
	for name, row := range map[string]struct {
		edit    func(map[string]any)
		message string
	}{
		"no name":                   {set("name", nil), "spec.name: Required value"},
		"no capacity":               {set("capacity", nil), "spec.capacity: Required value"},
		"too many seats":            {set("capacity", 20_001), "less than or equal to 20000"},
		"no zone":                   {set("timeZone", nil), "spec.timeZone: Required value"},
		"the zone of the machine":   {set("timeZone", "Local"), zone},
		"a zone in lower case":      {set("timeZone", "europe/berlin"), zone},
		"a file":                    {set("timeZone", "../zoneinfo"), zone},
		"a zone of a stop":          {set("stops", []any{map[string]any{"station": "A", "departs": "1:00", "timeZone": "local"}, map[string]any{"station": "B", "arrives": "2:00"}}), zone},
		"no days":                   {set("days", nil), noDay},
		"no days, and none added":   {all(days(), exceptions("2026-12-25")), noDay},
		"a holiday":                 {days("holiday"), `supported values: "mon", "tue"`},
		"a day in full":             {days("monday"), `supported values: "mon", "tue"`},
		"a day twice":               {days("mon", "mon"), "Duplicate value"},
		"no first day":              {set("from", nil), "spec.from: Required value"},
		"no last day":               {set("until", nil), "spec.until: Required value"},
		"a day before all":          {set("from", "2020-01-01"), bounds},
		"a day after all":           {set("until", "2199-06-07"), bounds},
		"no date":                   {set("from", "soon"), "spec.from"},
		"no day of the month":       {set("until", "2027-02-29"), "spec.until"},
		"a date without zeros":      {set("from", "2027-2-1"), "spec.from"},
		"ends early":                {all(set("from", "2026-12-02"), set("until", "2026-12-01")), "until must not be before from"},
		"an exception before":       {all(set("from", "2026-12-01"), exceptions("2026-11-30")), outside},
		"an exception after":        {all(set("until", "2026-12-01"), exceptions("2026-12-02")), outside},
		"an exception twice":        {exceptions("2026-12-24", "+2026-12-24"), "Duplicate value"},
		"an exception without runs": {set("exceptions", []any{map[string]any{"date": "2026-12-24"}}), "exceptions[0].runs: Required value"},
		"1001 exceptions":           {exceptions(consecutive(1001)...), "must have at most 1000 items"},
		"sold before today":         {set("soldDaysAhead", -1), "greater than or equal to 0"},
		"sold in years":             {set("soldDaysAhead", 731), "less than or equal to 730"},
		"one stop":                  {calls("Delhi - 1:00"), "should have at least 2 items"},
		"65 stops":                  {manyCalls(65), "must have at most 64 items"},
		"a station twice":           {calls("Delhi - 1:00", "Jaipur", "DELHI 2:00"), once},
		"no departure":              {calls("A", "B 2:00"), ends},
		"no arrival":                {calls("A - 1:00", "B"), ends},
		"an arrival at the first":   {calls("A 1:00 1:00", "B 2:00"), beyond},
		"a departure from the last": {calls("A - 1:00", "B 2:00 2:00"), beyond},
		"departs before":            {calls("A - 10:00", "B 11:00 10:59:59", "C 12:00"), atStop},
		"arrives before":            {calls("A - 10:00", "B 9:00"), order},
		"midnight as zero":          {calls("A - 22:00", "B 23:59 00:01", "C 26:00"), atStop},
		"midnight between stops":    {calls("A - 22:00", "B 23:59", "C 02:00"), order},
		"overlapping stops":         {calls("A - 9:00", "B 9:30 11:00", "C 10:00 12:00", "D 12:00"), order},
		"one time, too early":       {calls("A - 9:00", "B 9:30 11:00", "C - 10:00", "D 12:00"), order},
		"minutes against seconds":   {calls("A - 9:59:01", "B 9:59"), order},
		"before, stops between":     {calls("A - 10:00", "B", "C 9:59:59", "D 11:00"), order},
		"a time in words":           {from("at noon"), departs},
		"a time with an offset":     {from("06:00+05:30"), departs},
		"a minute too many":         {from("06:60"), departs},
		"a time without minutes":    {from("6"), departs},
		"an hour too many":          {from("240:00:01"), departs},
		"a time before the day":     {from("-1:00"), departs},
		"a number":                  {from(600), "must be of type string"},
		"another policy":            {set("deletionPolicy", "Delete"), `supported values: "Retain", "Cancel"`},
		"no id":                     {set("scheduleID", "shatabdi"), "spec.scheduleID"},
		"the id of a departure":     {set("scheduleID", "6f1b0c3e-3a46-8ad4-9d1f-2f5b3c1d0000"), "spec.scheduleID"},
		"an id of zeros":            {set("scheduleID", "00000000-0000-0000-0000-000000000000"), "not all zero"},
		"a member of Train":         {set("trainID", "x"), `unknown field "spec.trainID"`},
	} {
		schedule := edited(t, daily, row.edit)
		schedule.SetNamespace(namespace)
		err := c.Create(t.Context(), schedule, client.FieldValidation(metav1.FieldValidationStrict))
		require.True(t, apierrors.IsInvalid(err) || apierrors.IsBadRequest(err), "%s: %v", name, err)
		require.ErrorContains(t, err, row.message, name)
		require.NotContains(t, err.Error(), "rule evaluation", name)
	}
	for name, message := range hiddenNames {
		for field, edit := range map[string]func(map[string]any){
			"name": set("name", name),
			"station": set("stops", []any{
				map[string]any{"station": "Agra", "departs": "1:00"}, map[string]any{"station": name, "arrives": "2:00"},
			}),
		} {
			schedule := edited(t, daily, edit)
			schedule.SetNamespace(namespace)
			require.ErrorContains(t, c.Create(t.Context(), schedule), field+message, "%+q", name)
		}
	}
}

func TestScheduleIDCannotChange(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	namespace := c.Namespace(t, nil)
	const id, other = "6f1b0c3e-3a46-8ad4-9d1f-2f5b00000000", "7f1b0c3e-3a46-8ad4-9d1f-2f5b00000000"
	for name, change := range map[string]struct{ from, to any }{
		"changed": {id, other}, "added": {nil, id}, "removed": {id, nil},
	} {
		schedule := edited(t, daily, set("scheduleID", change.from))
		schedule.SetNamespace(namespace)
		require.NoError(t, c.Create(t.Context(), schedule), name)
		set("scheduleID", change.to)(schedule.Object["spec"].(map[string]any))
		require.ErrorContains(t, c.Update(t.Context(), schedule), "scheduleID cannot change: delete this TrainSchedule", name)
	}
}

func TestNewTrainScheduleIsPendingWithDefaults(t *testing.T) {
	t.Parallel()
	c := sharedCluster(t)
	schedule := edited(t, daily, nil)
	schedule.SetNamespace(c.Namespace(t, nil))
	require.NoError(t, c.Create(t.Context(), schedule))
	var got v1alpha1.TrainSchedule
	require.NoError(t, c.Get(t.Context(), client.ObjectKeyFromObject(schedule), &got))
	require.Len(t, got.Status.Conditions, 1)
	require.Equal(t, v1alpha1.ReasonPending, got.Status.Conditions[0].Reason)
	require.True(t, *got.Spec.OnSale)
	require.EqualValues(t, 60, *got.Spec.SoldDaysAhead)
	require.Equal(t, v1alpha1.DeletionRetain, got.Spec.DeletionPolicy)
}
