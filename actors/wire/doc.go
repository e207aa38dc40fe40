// Package wire has the calls between processes that concern trains. It is generated from
// trains.proto: make generate.
package wire
