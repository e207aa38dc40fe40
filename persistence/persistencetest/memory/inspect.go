package memory

import "trainbooking.dev/booking"

// AddLegs books legs of a seat without a booking, as somebody with access to the database can.
func (s *Store) AddLegs(id booking.TrainID, seat int, legs booking.Legs) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trains[id].seats[seat] |= legs
}

// Hold returns the stored hold with an id; false if there is none.
func (s *Shared) Hold(train booking.TrainID, id booking.HoldID) (booking.Hold, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, ok := s.state.holds[train][id]
	return h.Hold, ok
}

// LoseHold deletes a hold, as a failover to a replica that had not received it does.
func (s *Shared) LoseHold(train booking.TrainID, id booking.HoldID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.state.holds[train], id)
}
