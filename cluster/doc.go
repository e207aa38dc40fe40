// Package cluster makes several processes one cluster. It knows nothing about trains: it shares out
// keys.
//
//	Node ─┬─ membership: heartbeats ──▶ persistence.Members      who is there
//	      │        └── rendezvous hashing: ProposedOwner         who should own a key
//	      ├─ lessor: Term ──▶ persistence.Leases                 who does own it, and until when
//	      └─ gRPC server, and a connection to each Peer          calls between processes
//
// Membership is the list of live processes. It proposes one owner for each key. The lease of a
// key decides: only the process that holds it may act on it, and only during its Term. The package
// of the application registers its own services on the server, and calls them on a Peer.
//
// A call that is delivered late must do no harm. Bounds gives every process the same clock, with
// which a called process recognizes it.
//
// NewSingle is the cluster of a process that is alone. It has no peers, and its terms never end.
package cluster
