package memory

// CountHolds returns the number of holds that are stored.
func (s *Shared) CountHolds() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, holds := range s.state.holds {
		n += len(holds)
	}
	return n
}
