package auth

// MaxPairs is the bound that the test of eviction goes up to.
const MaxPairs = maxPairs

// Network is tested apart from Throttle.
var Network = network

// Rewrite reads a PHC string and writes it again.
func Rewrite(s string) (string, Cost, error) {
	h, err := parsePHC(s)
	return h.String(), h.cost, err
}

// Nobody is the hash that an unknown name is verified against.
func (h *Hasher) Nobody() string { return h.nobody }

// TakeTurns takes n turns to hash, if they are free.
func (h *Hasher) TakeTurns(n int64) bool { return h.turns.TryAcquire(n) }

// GiveTurns gives them back.
func (h *Hasher) GiveTurns(n int64) { h.turns.Release(n) }
