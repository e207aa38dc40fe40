package booking

// Taken is the highest number of the seats of a train that are booked or held, 0 if none is. It decides
// what may change of the train besides its times, spelling and sale.
type Taken int

// AllowsCapacity reports whether the train may have so many seats: none above them is taken.
func (n Taken) AllowsCapacity(capacity int) bool { return int(n) <= capacity }

// AllowsStations reports whether the train may call at the stations of another, in their order.
func (n Taken) AllowsStations(train, to *Train) bool { return n == 0 || train.SameStations(to) }

// Taken returns the highest number of the seats that are booked or held.
func (m *SeatMap) Taken() (highest Taken) {
	for n, s := range m.seats.all() {
		if s.booked|s.held != 0 {
			highest = Taken(n)
		}
	}
	return highest
}

// CheckChange returns why the train cannot become to: invalid_request for a new name that is
// refused, capacity_in_use with the taken seats above the new capacity, or has_bookings if the
// stations of booked or held seats, or their order, would change.
func (m *SeatMap) CheckChange(to Train) error {
	if err := to.CheckNames(m.train); err != nil {
		return err
	}
	switch taken := m.Taken(); {
	case !taken.AllowsCapacity(to.Capacity):
		return &Error{
			Code: CodeCapacityInUse, Message: "Seats above the new capacity are booked or held",
			Seats: m.takenAbove(to.Capacity),
		}
	case !taken.AllowsStations(m.train, &to):
		return &Error{
			Code: CodeHasBookings, Message: "Stations cannot change while seats are booked or held",
		}
	}
	return nil
}

// takenAbove returns the numbers of the taken seats above a capacity, ascending.
func (m *SeatMap) takenAbove(capacity int) (above []int) {
	for n, s := range m.seats.all() {
		if n > capacity && s.booked|s.held != 0 {
			above = append(above, n)
		}
	}
	return above
}

// Change replaces the train by to. Call it after CheckChange allowed it and it was stored.
func (m *SeatMap) Change(to Train) {
	m.train, m.seats, m.changed = &to, m.seats.resized(to.Capacity), true
}
