package importer

import (
	"bufio"
	"encoding/hex"
	"errors"
	"io"
	"strings"

	"gopkg.in/yaml.v3"

	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs"
)

// manifest is a TrainSchedule of operator/v1alpha1.
type manifest struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   metadata `yaml:"metadata"`
	Spec       spec     `yaml:"spec"`
}

type metadata struct {
	Name   string            `yaml:"name"`
	Labels map[string]string `yaml:"labels"`
}

type spec struct {
	Class         string      `yaml:"class,omitempty"`
	ScheduleID    string      `yaml:"scheduleID"`
	Name          string      `yaml:"name"`
	Capacity      int         `yaml:"capacity"`
	OnSale        bool        `yaml:"onSale"`
	TimeZone      string      `yaml:"timeZone"`
	Days          []string    `yaml:"days"`
	From          string      `yaml:"from"`
	Until         string      `yaml:"until"`
	Exceptions    []exception `yaml:"exceptions,omitempty"`
	SoldDaysAhead int         `yaml:"soldDaysAhead"`
	Stops         []stop      `yaml:"stops"`
}

type exception struct {
	Date string `yaml:"date"`
	Runs bool   `yaml:"runs"`
}

type stop struct {
	Station  string `yaml:"station"`
	Arrives  string `yaml:"arrives,omitempty"`
	Departs  string `yaml:"departs,omitempty"`
	TimeZone string `yaml:"timeZone,omitempty"`
}

// FeedLabel is the label of all manifests of a source, for kubectl apply --prune.
const FeedLabel = "trainbooking.dev/feed"

// WriteManifests writes the trains of a timetable as YAML, by name and departure, with the class of an operator if
// it is not "". Equal timetables have equal manifests.
func WriteManifests(w io.Writer, t *gtfs.Timetable, class string) error {
	out := bufio.NewWriter(w)
	first := true
	for train := range t.Trains() {
		if !train.Selected {
			continue
		}
		if !first {
			_, _ = out.WriteString("---\n") // Flush returns the error
		}
		first = false
		// An encoder keeps what it has written: 75,000 documents of one would take 9 GB.
		encoder := yaml.NewEncoder(out)
		encoder.SetIndent(2)
		m := newManifest(&train.Schedule, t.Source)
		m.Spec.Class = class
		if err := errors.Join(encoder.Encode(m), encoder.Close()); err != nil {
			return err
		}
	}
	return out.Flush()
}

func newManifest(s *booking.Schedule, source string) *manifest {
	m := &manifest{
		APIVersion: "trainbooking.dev/v1alpha1", Kind: "TrainSchedule",
		Metadata: metadata{Name: objectName(s), Labels: map[string]string{FeedLabel: slug(source, maxLabel)}},
		Spec: spec{
			ScheduleID: s.ID.String(), Name: s.Name, Capacity: s.Capacity, OnSale: s.OnSale, TimeZone: s.TimeZone,
			Days: s.Days.Names(), From: s.From.String(), Until: s.Until.String(), SoldDaysAhead: s.SoldDaysAhead,
		},
	}
	for _, e := range s.Exceptions {
		m.Spec.Exceptions = append(m.Spec.Exceptions, exception{e.Date.String(), e.Runs})
	}
	for _, at := range s.Stops {
		m.Spec.Stops = append(m.Spec.Stops, stop{at.Station, at.Arrives.String(), at.Departs.String(), at.TimeZone})
	}
	return m
}

const (
	maxLabel = 63 // of Kubernetes
	maxSlug  = 40
)

// objectName returns the name of an object: "ice-9-1f0a…", where the end is what an id has beside its source.
func objectName(s *booking.Schedule) string {
	id := hex.EncodeToString(s.ID[5:12])
	if name := slug(s.Name, maxSlug); name != "" {
		return name + "-" + id
	}
	return id
}

// slug returns the small letters and digits of a name, with a hyphen for each run of anything else.
func slug(name string, longest int) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return ' '
	}, booking.SearchKey(name))
	text := strings.Join(strings.Fields(plain), "-")
	return strings.Trim(text[:min(len(text), longest)], "-")
}
