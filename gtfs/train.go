package gtfs

import (
	"crypto/sha256"
	"encoding/binary"

	"trainbooking.dev/booking"
)

// Train is what trips of the feed become.
type Train struct {
	booking.Schedule
	Trips    int  // how many it was made of
	Selected bool // by the filter; see Options.Whole
}

// Content is a hash of what passengers see of a schedule: its name, stations and times, with their zones.
// It does not contain its days, nor what the feed does not say. The ids of schedules follow from it.
type Content [16]byte

// ContentOf returns the content of a schedule.
func ContentOf(s *booking.Schedule) Content {
	text := make([]byte, 0, 64+32*len(s.Stops))
	add := func(s string) { text = append(append(text, s...), 0) }
	add(s.Name)
	add(s.TimeZone)
	for i := range s.Stops {
		stop := &s.Stops[i]
		add(stop.Station)
		add(stop.TimeZone)
		for _, at := range []booking.LocalTime{stop.Arrives, stop.Departs} {
			seconds := int64(-1)
			if !at.IsZero() {
				seconds = int64(at.Offset().Seconds())
			}
			text = binary.AppendVarint(text, seconds)
		}
	}
	sum := sha256.Sum256(text)
	return Content(sum[:len(Content{})])
}
