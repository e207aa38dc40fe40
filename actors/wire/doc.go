// Package wire has the only message that the processes of a cluster exchange. It is generated
// from envelope.proto: make generate.
package wire
