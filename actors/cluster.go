package actors

import (
	"crypto/tls"
	"errors"

	"trainbooking.dev/persistence"
)

// ErrEvicted is what Failed gets when peers have taken this process off while it was
// paused or cut off: they will not hear of it again, so it must be started anew.
var ErrEvicted = errors.New("evicted by its peers: start again")

// Cluster is what makes several Systems act as one. All fields but TLS are required.
type Cluster struct {
	Leases  persistence.Leases
	Members persistence.Members
	// Address is the host:port that peers dial, and what leases name; Listen is where
	// to listen for them.
	Address, Listen string
	// Tokens are what peers prove to each other: the first is shown, any is accepted.
	Tokens []string
	// TLS, where it is set, is used both to listen and to dial: mutual TLS.
	TLS *tls.Config
}
