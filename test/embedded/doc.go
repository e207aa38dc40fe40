// Package embedded tests the built binary as one process: on an empty directory and free
// ports, over HTTP, stopped by signals. The binary has the race detector if the tests have it.
package embedded
