package auth

// MaxIdle is the maximum number of idle entries.
const MaxIdle = maxIdle

// Len returns the number of entries of this process.
func (t *Throttle) Len() int {
	t.local.mu.Lock()
	defer t.local.mu.Unlock()
	return len(t.local.entries)
}

// Network is tested separately from Throttle.
var Network = network

// ReformatPHC parses and formats a PHC string.
func ReformatPHC(s string) (string, Cost, error) {
	h, err := parsePHC(s)
	return h.String(), h.cost, err
}

// Dummy returns the hash for unknown usernames.
func (h *Hasher) Dummy() string { return h.dummy }

// TryAcquireSlots acquires n slots if they are free.
func (h *Hasher) TryAcquireSlots(n int64) bool { return h.slots.TryAcquire(n) }

// ReleaseSlots releases n slots.
func (h *Hasher) ReleaseSlots(n int64) { h.slots.Release(n) }
