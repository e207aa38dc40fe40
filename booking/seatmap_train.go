package booking

// CheckChange returns why the train cannot become to: invalid_request for a new name that is
// refused, capacity_in_use with the taken seats above the new capacity, or has_bookings if the
// stations of booked or held seats, or their order, would change.
func (m *SeatMap) CheckChange(to Train) error {
	if err := to.CheckNames(m.train); err != nil {
		return err
	}
	var above []int
	inUse := false
	for n, s := range m.seats.all() {
		if s.booked|s.held == 0 {
			continue
		}
		inUse = true
		if n > to.Capacity {
			above = append(above, n)
		}
	}
	switch {
	case len(above) > 0:
		return &Error{
			Code: CodeCapacityInUse, Message: "Seats above the new capacity are booked or held",
			Seats: above,
		}
	case inUse && !m.train.SameStations(&to):
		return &Error{
			Code: CodeHasBookings, Message: "Stations cannot change while seats are booked or held",
		}
	}
	return nil
}

// Change replaces the train by to. Call it after CheckChange allowed it and it was stored.
func (m *SeatMap) Change(to Train) {
	m.train, m.seats, m.changed = &to, m.seats.resized(to.Capacity), true
}
