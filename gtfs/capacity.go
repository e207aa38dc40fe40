package gtfs

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Capacities are the numbers of seats of trains. A train has that of its number (trip_short_name), or else
// of its route (id, short or long name), or else of its route type, or else Default. 0: none.
type Capacities struct {
	Trains     map[string]int
	Routes     map[string]int
	RouteTypes map[int]int
	Default    int
}

func (c *Capacities) of(r *route, number string) int {
	if n, ok := c.Trains[number]; ok && number != "" {
		return n
	}
	for _, key := range r.keys() {
		if n, ok := c.Routes[key]; ok {
			return n
		}
	}
	if n, ok := c.RouteTypes[r.kind]; ok {
		return n
	}
	if n, ok := c.RouteTypes[basicType(r.kind)]; ok && r.kind >= 100 {
		return n
	}
	return c.Default
}

// maxAvailable is how many keys an error lists.
const maxAvailable = 20

// capacityCheck finds the keys of capacities that are not in the feed.
type capacityCheck struct {
	wanted  map[string]bool // numbers, and whether a trip has them
	numbers []string        // the first that trips have
}

func newCapacityCheck(c *Capacities) *capacityCheck {
	check := &capacityCheck{wanted: map[string]bool{}}
	for number := range c.Trains {
		check.wanted[number] = false
	}
	return check
}

func (c *capacityCheck) saw(number string) {
	if len(c.wanted) == 0 || number == "" {
		return
	}
	if _, ok := c.wanted[number]; ok {
		c.wanted[number] = true
	}
	if len(c.numbers) <= maxAvailable && !slices.Contains(c.numbers, number) {
		c.numbers = append(c.numbers, strings.Clone(number))
	}
}

// problem returns an error with the first kind of keys that the feed does not have.
func (c *capacityCheck) problem(capacities *Capacities, routes map[string]*route) error {
	names, types := map[string]bool{}, map[string]bool{}
	for _, r := range routes {
		for _, key := range r.keys() {
			names[key] = true
		}
		types[strconv.Itoa(r.kind)] = true
		if basic := basicType(r.kind); basic >= 0 && r.kind >= 100 {
			types[strconv.Itoa(basic)] = true
		}
	}
	unknown := slices.DeleteFunc(sortedKeys(c.wanted), func(number string) bool { return c.wanted[number] })
	if len(unknown) > 0 {
		return unknownKeys("trains", unknown, c.numbers)
	}
	unknown = slices.DeleteFunc(sortedKeys(capacities.Routes), func(key string) bool { return names[key] })
	if len(unknown) > 0 {
		return unknownKeys("routes", unknown, sortedKeys(names))
	}
	for kind := range capacities.RouteTypes {
		if key := strconv.Itoa(kind); !types[key] {
			unknown = append(unknown, key)
		}
	}
	if slices.Sort(unknown); len(unknown) > 0 {
		return unknownKeys("route types", unknown, sortedKeys(types))
	}
	return nil
}

func unknownKeys(kind string, unknown, available []string) error {
	more := ""
	if len(available) > maxAvailable {
		available, more = available[:maxAvailable], ", …"
	}
	return fmt.Errorf("the capacities are for %s that the feed does not have: %s; it has %s%s",
		kind, strings.Join(unknown, ", "), strings.Join(available, ", "), more)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
