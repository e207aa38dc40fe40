package booking

// CheckChange says why the train cannot become to: capacity_in_use with the seats in
// the way, or has_bookings when stops would change under booked or held seats.
func (m *SeatMap) CheckChange(to Train) error {
	var inTheWay []int
	inUse := false
	for i, s := range m.seats {
		if s.booked|s.held == 0 {
			continue
		}
		inUse = true
		if i >= to.Capacity {
			inTheWay = append(inTheWay, i+1)
		}
	}
	switch {
	case len(inTheWay) > 0:
		return &Error{
			Code: CodeCapacityInUse, Message: "Seats above the new capacity are booked or held",
			Seats: inTheWay,
		}
	case inUse && !m.train.SameStops(&to):
		return &Error{
			Code: CodeHasBookings, Message: "Stops cannot change while seats are booked or held",
		}
	}
	return nil
}

// Change makes the train become to, after CheckChange allowed it and it was stored.
func (m *SeatMap) Change(to Train) {
	seats := make([]seatLegs, to.Capacity)
	copy(seats, m.seats)
	m.train, m.seats, m.changed = &to, seats, true
}
