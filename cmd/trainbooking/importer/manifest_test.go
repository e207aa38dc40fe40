package importer_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
	kubeyaml "sigs.k8s.io/yaml"

	"trainbooking.dev/booking"
	"trainbooking.dev/cmd/trainbooking/importer"
	"trainbooking.dev/gtfs"
	"trainbooking.dev/operator/v1alpha1"
)

func TestManifestSaysWhatTheScheduleIs(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	table := read(t, feed(t, trip{number: "12951", departs: "23:30", days: workdays}), options())
	require.NoError(t, importer.WriteManifests(&b, table, ""))
	var s booking.Schedule
	for train := range table.Trains() {
		s = train.Schedule
	}
	id := s.ID.String()
	require.Equal(t, `apiVersion: trainbooking.dev/v1alpha1
kind: TrainSchedule
metadata:
  name: rajdhani-12951-`+strings.ReplaceAll(id, "-", "")[10:24]+`
  labels:
    trainbooking.dev/feed: ir-indian-railways
spec:
  scheduleID: `+id+`
  name: Rajdhani 12951
  capacity: 100
  onSale: true
  timeZone: Asia/Kolkata
  days:
    - mon
    - tue
    - wed
    - thu
    - fri
  from: "`+s.From.String()+`"
  until: "`+s.Until.String()+`"
  soldDaysAhead: 40
  stops:
    - station: Delhi
      departs: "23:30"
    - station: Agra
      arrives: "24:30"
      departs: "24:30"
    - station: Mumbai
      arrives: "25:30"
`, b.String())
}

func TestManifestIsATrainSchedule(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	table := read(t, feed(t, trip{number: "12951", departs: "23:30", days: workdays}), options())
	require.NoError(t, importer.WriteManifests(&b, table, ""))
	var got v1alpha1.TrainSchedule
	require.NoError(t, kubeyaml.UnmarshalStrict(b.Bytes(), &got), "every field is one of the type")
	for train := range table.Trains() {
		require.EqualValues(t, train.ID.String(), got.Spec.ScheduleID)
		require.EqualValues(t, train.Name, got.Spec.Name)
		require.EqualValues(t, train.From.String(), got.Spec.From)
		require.Len(t, got.Spec.Stops, len(train.Stops))
		require.EqualValues(t, train.Stops[2].Arrives.String(), got.Spec.Stops[2].Arrives)
	}
}

func TestManifestHasTheClassOfItsOperator(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	table := read(t, feed(t, trip{number: "12951", departs: "23:30"}), options())
	require.NoError(t, importer.WriteManifests(&b, table, "rail"))
	var got v1alpha1.TrainSchedule
	require.NoError(t, kubeyaml.UnmarshalStrict(b.Bytes(), &got))
	require.Equal(t, "rail", got.Spec.Class)
}

func TestManifestsAreStableAndHaveDifferentNames(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Very Long Name of a Train ", 9)
	trips := []trip{{number: "1", departs: "08:00"}, {number: "1", departs: "08:00"}, {number: "1", departs: "09:00"}, {number: "\u00c9toile du Nord", departs: "09:00"}, {number: long, departs: "09:00"}}
	var first, second bytes.Buffer
	require.NoError(t, importer.WriteManifests(&first, read(t, feed(t, trips...), options()), ""))
	require.NoError(t, importer.WriteManifests(&second, read(t, feed(t, trips[4], trips[2], trips[0], trips[3], trips[1]), options()), ""))
	require.Equal(t, first.String(), second.String())

	names := map[string]bool{}
	decoder := yaml.NewDecoder(&first)
	for range trips {
		var m struct {
			Metadata struct{ Name string }
		}
		require.NoError(t, decoder.Decode(&m))
		require.Regexp(t, `^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$`, m.Metadata.Name)
		names[m.Metadata.Name] = true
	}
	require.Len(t, names, len(trips))
}

func TestManifestsAreThoseThatTheFilterSelects(t *testing.T) {
	t.Parallel()
	o := options()
	o.Filter, o.Whole = gtfs.Filter{RouteTypes: []int{3}}, true
	var b bytes.Buffer
	require.NoError(t, importer.WriteManifests(&b, read(t, feed(t, trip{number: "1", departs: "08:00"}, trip{number: "B2", departs: "08:00"}), o), ""))
	require.Equal(t, 1, strings.Count(b.String(), "kind: TrainSchedule"))
	require.Contains(t, b.String(), "name: Bus B2")
}

func TestCapacitiesAreReadFromYAML(t *testing.T) {
	t.Parallel()
	got, err := importer.ReadCapacities(strings.NewReader("train: {\"101\": 600, 7: 5}\nroute: {L1: 500}\nroute_type:\n  2: 400\ndefault: 300\n"))
	require.NoError(t, err)
	require.Equal(t, gtfs.Capacities{
		Trains: map[string]int{"101": 600, "7": 5}, Routes: map[string]int{"L1": 500}, RouteTypes: map[int]int{2: 400}, Default: 300,
	}, got)
	for text, want := range map[string]string{
		"":                      "it has no capacity",
		"default: 0":            "it has no capacity",
		"trains: {1: 2}":        "field trains not found in type",
		"capacity: 5":           "; it has train, route, route_type and default",
		"route: {A: 0}":         "a capacity must be 1 to 20000",
		"default: 20001":        "a capacity must be 1 to 20000",
		"default: -1":           "a capacity must be 1 to 20000",
		"route_type: {rail: 1}": "cannot unmarshal",
		"train: [1]":            "cannot unmarshal",
		"default: 5 #" + strings.Repeat("x", 1<<20): "it has more than 1 MB",
	} {
		_, err := importer.ReadCapacities(strings.NewReader(text))
		require.ErrorContains(t, err, want, "%.20s", text)
	}
}

func TestProgressIsABar(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	p := importer.Progress{To: &b}
	p.Clear()
	p.Show("reading", 5, 10)
	p.Show("reading", 5, 10)
	p.Show("reading", 100, 10)
	p.Clear()
	require.Equal(t, "\rreading    [===============               ]  50 %\rreading    [==============================] 100 %\r\x1b[K", b.String())
	(&importer.Progress{}).Show("reading", 5, 10)
}

// heapWriter remembers how much memory was in use at most.
type heapWriter struct {
	writes int
	most   uint64
}

func (w *heapWriter) Write(p []byte) (int, error) {
	if w.writes++; w.writes%25 == 0 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		w.most = max(w.most, stats.HeapAlloc)
	}
	return len(p), nil
}

func TestManifestsAreNotKeptInMemory(t *testing.T) { //nolint:paralleltest // it measures memory
	var trips []trip
	for i := range 600 {
		trips = append(trips, trip{number: fmt.Sprint(i), departs: "08:00"})
	}
	table := read(t, feed(t, trips...), options())
	var before, w heapWriter
	before.writes = 24
	_, _ = before.Write(nil)
	require.NoError(t, importer.WriteManifests(&w, table, ""))
	require.Greater(t, w.writes, 50)
	require.Less(t, int(w.most)-int(before.most), 6<<20, "one encoder for all would keep 13 MB")
}
