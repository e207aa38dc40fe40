package actors

import "trainbooking.dev/booking"

// route is a sequence of stations, with the trains that call there. Trains of many days share it.
type route struct {
	key       string     // the folded names of its stops, each with a 0 after it
	stations  []*station // each once
	ambiguous bool       // two stops have one search key
	like      *booking.Train
	trains    timetable // that belong to no schedule
	// departures are those with a row. schedules are the schedules that have departures here, with or
	// without a row, and how many rows, and one more if the schedule itself runs here.
	departures timetable
	schedules  map[*scheduled]int
}

// visit records that a train calls at its stations, and returns its route. listed reports whether it
// counts for the number of trains of a station: departures do not, since their schedule does.
func (c *catalogue) visit(train *booking.Train, listed bool) *route {
	c.key = c.key[:0]
	for _, stop := range train.Stops {
		n := c.spell(stop.Station)
		n.uses.add(listed)
		c.key = append(append(c.key, n.folded...), 0)
	}
	r := c.routes[string(c.key)]
	if r == nil {
		r = c.addRoute(string(c.key), train)
	}
	for _, s := range r.stations {
		s.uses.add(listed)
	}
	return r
}

// addRoute adds the route of a train.
func (c *catalogue) addRoute(key string, train *booking.Train) *route {
	r := &route{key: key, like: train, schedules: map[*scheduled]int{}}
	c.routes[key] = r
	for i, stop := range train.Stops {
		s := c.spell(stop.Station).station
		if _, twice := s.routes[r]; twice {
			r.ambiguous = true
			continue
		}
		s.routes[r] = i
		r.stations = append(r.stations, s)
	}
	return r
}

// leave records that a train of a route that has been removed no longer calls at its stations.
func (c *catalogue) leave(r *route, train *booking.Train, listed bool) {
	c.unspell(train.Stops, listed)
	c.leaveStations(r.stations, listed)
	if len(r.trains.trains) > 0 || len(r.schedules) > 0 {
		return
	}
	delete(c.routes, r.key)
	for _, s := range r.stations {
		delete(s.routes, r)
	}
}

// attach records one more reason why a schedule has departures on the route, and detach that there is
// one less.
func (r *route) attach(s *scheduled) { r.schedules[s]++ }

func (r *route) detach(s *scheduled) {
	if r.schedules[s]--; r.schedules[s] == 0 {
		delete(r.schedules, s)
	}
}
