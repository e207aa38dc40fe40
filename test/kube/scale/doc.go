// Package scale requires of the operator that a full resync of 10,000 Trains, 1,000 of them
// changed, takes less than 60 s and 256 MiB (docs/decisions/0007). Nothing is built with the
// race detector, which would use time and memory of its own.
package scale
