package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"gopkg.in/yaml.v3"

	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs"
)

// maxCapacities is the largest file of capacities in bytes: 20,000 trains.
const maxCapacities = 1 << 20

// capacities is a file of capacities.
type capacities struct {
	Train     map[string]int `yaml:"train"`
	Route     map[string]int `yaml:"route"`
	RouteType map[int]int    `yaml:"route_type"`
	Default   int            `yaml:"default"`
}

// ReadCapacities reads a file of capacities:
//
//	train: {"101": 600}    # by trip_short_name
//	route: {L1: 500}       # by id, short or long name
//	route_type: {2: 400}
//	default: 300
func ReadCapacities(r io.Reader) (gtfs.Capacities, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxCapacities+1))
	if err != nil {
		return gtfs.Capacities{}, err
	}
	if len(text) > maxCapacities {
		return gtfs.Capacities{}, fmt.Errorf("it has more than %d MB", maxCapacities>>20)
	}
	var file capacities
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&file); err != nil && !errors.Is(err, io.EOF) {
		return gtfs.Capacities{}, fmt.Errorf("%w; it has train, route, route_type and default", err)
	}
	got := gtfs.Capacities{Trains: file.Train, Routes: file.Route, RouteTypes: file.RouteType, Default: file.Default}
	if len(got.Trains)+len(got.Routes)+len(got.RouteTypes) == 0 && got.Default == 0 {
		return got, errors.New("it has no capacity")
	}
	return got, file.problem()
}

func (c *capacities) problem() error {
	all := []int{max(c.Default, 1)}
	for _, n := range c.Train {
		all = append(all, n)
	}
	for _, n := range c.Route {
		all = append(all, n)
	}
	for _, n := range c.RouteType {
		all = append(all, n)
	}
	if c.Default < 0 || slices.Min(all) < 1 || slices.Max(all) > booking.MaxCapacity {
		return fmt.Errorf("a capacity must be 1 to %d", booking.MaxCapacity)
	}
	return nil
}

// CapacitiesOf is ReadCapacities of the file with a name. The error begins with it.
func CapacitiesOf(path string) (gtfs.Capacities, error) {
	file, err := os.Open(path)
	if err != nil {
		return gtfs.Capacities{}, fmt.Errorf("--capacities %s: %w", path, reasonOf(err))
	}
	defer file.Close() //nolint:errcheck // it is read
	got, err := ReadCapacities(file)
	if err != nil {
		return got, fmt.Errorf("--capacities %s: %w", path, err)
	}
	return got, nil
}
