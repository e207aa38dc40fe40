// Package scale measures the operator with 10,000 Trains against what docs/KUBERNETES.md 2
// promises: a full resync under 60 s and 256 MiB. Nothing is built with the race detector,
// whose memory and time are its own.
package scale
