// Package embedded holds the tests of the service as people run it: the built binary,
// with the race detector where the tests have it, on an empty directory and free ports, asked over HTTP, stopped
// by signals.
package embedded
