// Package wire has the calls between the members of a cluster. It is generated from
// members.proto: make generate.
package wire
