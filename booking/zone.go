package booking

import (
	"sync"
	"time"
	_ "time/tzdata" // 0.5 MB, so that machines without zoneinfo accept the same schedules
)

// zones has the locations that were loaded, by name. Only what is a zone enters it, so it stays small.
var zones sync.Map

// findZone returns the time zone with an IANA name, such as Europe/Berlin. It reports false if this
// machine does not know it, and for the names that mean something else on each machine: "", Local and
// those that begin with a small letter (localtime, posixrules, right/UTC).
func findZone(name string) (*time.Location, bool) {
	if zone, ok := zones.Load(name); ok {
		return zone.(*time.Location), true
	}
	if name == "" || name[0] < 'A' || name[0] > 'Z' || name == "Local" {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	zones.Store(name, zone)
	return zone, true
}
