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
