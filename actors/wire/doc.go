// Package wire is the one message that processes of a cluster exchange. It is generated
// from envelope.proto: make generate.
package wire
