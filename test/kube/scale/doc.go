// Package scale measures the operator: a full resync of 10,000 Trains, 1,000 of them changed,
// takes less than 60 s and 256 MiB (docs/decisions/0007). It takes several minutes, and says
// little on a busy machine, so it has a build tag and is not part of make test:
//
//	go test -tags scale -v ./test/kube/scale
//
// Nothing is built with the race detector, which would use time and memory of its own.
package scale
