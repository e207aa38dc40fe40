// Package scale measures the operator with many Trains. With 10,000 a full resync takes less
// than 60 s and 256 MiB:
//
//	go test ./test/kube/scale -v -scale.trains 10000
//
// Without the flag there are few, as it takes some minutes to store 10,000. Nothing is built
// with the race detector, whose memory and time are its own.
package scale
