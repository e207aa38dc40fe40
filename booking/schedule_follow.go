package booking

import "slices"

// Following is what became of a departure when its schedule changed.
type Following int

const (
	// Follows means that the departure is as the schedule says.
	Follows Following = iota
	// Diverged means that it differs from what the schedule says.
	Diverged
	// Dropped means that the schedule does not run on its date any more and nothing is taken on it, so
	// that it is no departure any more.
	Dropped
)

// Follow returns what a departure that has a definition of its own becomes when its schedule changes,
// and whether it is still as the schedule says. The id and the times of creation and change stay.
//
// Name, capacity, sale, stations, their spelling and their times are merged one by one. What is as the
// schedule said before becomes what it says now. What somebody changed on the departure, such as its
// times by a delay, stays: the times of all stops together, since half of a delay is none. What would
// contradict Taken stays too, a capacity below a taken seat, or other stations while any is taken, and
// then also the times, which are those of other stations. Follow with the same two schedules applies that
// once the seats are free. At a later change it counts as changed on the departure: only the two
// schedules tell what is.
//
// If the schedule does not run on the date any more, a departure with taken seats is kept, but withdrawn.
// It follows again when the schedule does.
func Follow(departure Train, date Date, taken Taken, before, after *Schedule) (Train, Following) {
	ran, runs := before.Runs(date), after.Runs(date)
	// A departure on a date without service that is on sale was put on sale by hand.
	if !runs && taken == 0 && (ran || !departure.OnSale) {
		return departure, Dropped
	}
	was, is, to := before.Train(date), after.Train(date), departure
	to.Name = follow(departure.Name, was.Name, is.Name)
	to.OnSale = follow(departure.OnSale, was.OnSale, is.OnSale) && (runs || !ran)
	if departure.SalesOpenAt.Equal(was.SalesOpenAt) {
		to.SalesOpenAt = is.SalesOpenAt
	}
	if capacity := follow(departure.Capacity, was.Capacity, is.Capacity); taken.AllowsCapacity(capacity) {
		to.Capacity = capacity
	}
	to.Stops = followStops(&departure, &was, &is, taken)
	if after.Diverges(&to, date) {
		return to, Diverged
	}
	return to, Follows
}

// Diverges reports whether a departure differs from what the schedule says of its date, or the
// schedule does not run then.
func (s *Schedule) Diverges(departure *Train, date Date) bool {
	is := s.Train(date)
	return !s.Runs(date) || !departure.Same(&is)
}

// follow merges a property of a departure.
func follow[T comparable](own, was, is T) T {
	if own == was {
		return is
	}
	return own
}

// followStops merges stations, their spelling and their times.
func followStops(departure, was, is *Train, taken Taken) []Stop {
	timesFollow := sameTimes(departure.Stops, was.Stops)
	namesFollow := slices.EqualFunc(departure.Stops, was.Stops, func(a, b Stop) bool { return a.Station == b.Station })
	switch {
	case timesFollow && namesFollow && taken.AllowsStations(departure, is):
		return is.Stops
	case !departure.SameStations(is):
		return departure.Stops
	}
	stops := slices.Clone(departure.Stops)
	for i := range stops {
		if timesFollow {
			stops[i].ArrivesAt, stops[i].DepartsAt = is.Stops[i].ArrivesAt, is.Stops[i].DepartsAt
		}
		if namesFollow {
			stops[i].Station = is.Stops[i].Station
		}
	}
	return stops
}
