package gtfs

import (
	"slices"
	"time"

	"trainbooking.dev/booking"
)

// converter makes the stops of trains. It uses its memory again for the next trip.
type converter struct {
	stations []station
	calls    []call
	kept     []call
	seen     map[int32]struct{}
	leftOut  map[Reason]int // of the last trip
}

// convert returns the calls of a trip at which passengers may board and leave, in order, with their times,
// or the reason why it cannot be sold. They are valid until the next call.
func (c *converter) convert(t *trip) ([]call, Reason) {
	clear(c.leftOut)
	if t.calls.problem != "" {
		return nil, t.calls.problem
	}
	c.calls = t.calls.all(c.calls[:0])
	if len(c.calls) < booking.MinStops {
		return nil, OneStop
	}
	if reason := fillTimes(c.calls); reason != "" {
		return nil, reason
	}
	c.keepAllowed()
	switch {
	case len(c.kept) < booking.MinStops:
		return nil, OneStop
	case c.repeats():
		return nil, Repeated
	case len(c.kept) > booking.MaxStops:
		return nil, TooManyStops
	}
	return c.kept, ""
}

// fillTimes gives each call the times that are missing: an arrival that is not given is the departure, and
// the other way round. Stops without either are passed at equal intervals between those that have them.
func fillTimes(calls []call) Reason {
	for i := range calls {
		c := &calls[i]
		if c.arrives == noTime {
			c.arrives = c.departs
		}
		if c.departs == noTime {
			c.departs = c.arrives
		}
	}
	if calls[0].departs == noTime || calls[len(calls)-1].arrives == noTime {
		return NoTimes
	}
	before := 0
	for i := 1; i < len(calls); i++ {
		if calls[i].arrives == noTime {
			continue
		}
		from, time := calls[before].departs, calls[i].arrives-calls[before].departs
		for j := before + 1; j < i; j++ {
			at := from + int32(int64(time)*int64(j-before)/int64(i-before)) //nolint:gosec // less than time
			calls[j].arrives, calls[j].departs = at, at
		}
		before = i
	}
	for i := range calls {
		if calls[i].departs < calls[i].arrives || i > 0 && calls[i].arrives < calls[i-1].departs {
			return Backwards
		}
	}
	return ""
}

// keepAllowed keeps the calls at which passengers may do what a ticket lets them: board at the first, leave
// at the last, both at any other. A train begins and ends where that is so.
func (c *converter) keepAllowed() {
	c.kept = append(c.kept[:0], c.calls...)
	c.leaveOut(func(p permissions) bool { return p == boarding|leaving })
	for len(c.kept) > 0 && c.kept[0].forbidden&boarding != 0 {
		c.kept = slices.Delete(c.kept, 0, 1)
		c.leftOut[NoBoarding]++
	}
	for len(c.kept) > 0 && c.kept[len(c.kept)-1].forbidden&leaving != 0 {
		c.kept = c.kept[:len(c.kept)-1]
		c.leftOut[NoLeaving]++
	}
	if len(c.kept) == 0 {
		return
	}
	c.kept[0].forbidden = 0 // nobody leaves at the first stop
	c.kept[len(c.kept)-1].forbidden = 0
	c.leaveOut(func(p permissions) bool { return p != 0 })
}

func (c *converter) leaveOut(refused func(permissions) bool) {
	c.kept = slices.DeleteFunc(c.kept, func(call call) bool {
		if !refused(call.forbidden) {
			return false
		}
		c.leftOut[leftOutBecause(call.forbidden)]++
		return true
	})
}

func leftOutBecause(p permissions) Reason {
	switch p {
	case boarding:
		return NoBoarding
	case leaving:
		return NoLeaving
	}
	return NoCalling
}

// repeats reports whether the train calls at a station twice, or at two that passengers find as one.
func (c *converter) repeats() bool {
	clear(c.seen)
	for _, call := range c.kept {
		c.seen[c.stations[call.stop].key] = struct{}{}
	}
	return len(c.seen) < len(c.kept)
}

// stops returns the stops of a schedule whose times are shift seconds later than the calls say. zone is
// that of the schedule.
func (c *converter) stops(calls []call, shift int32, zone string) []booking.StopTime {
	stops := make([]booking.StopTime, len(calls))
	last := len(calls) - 1
	for i, call := range calls {
		at := &c.stations[call.stop]
		stop := booking.StopTime{Station: at.name}
		if at.zone != zone {
			stop.TimeZone = at.zone
		}
		if i > 0 {
			stop.Arrives = localTime(call.arrives + shift)
		}
		if i < last {
			stop.Departs = localTime(call.departs + shift)
		}
		stops[i] = stop
	}
	return stops
}

func localTime(seconds int32) booking.LocalTime {
	return booking.LocalTimeOf(time.Duration(seconds) * time.Second)
}
