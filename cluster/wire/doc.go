// Package wire defines the messages that the members of a cluster exchange.
package wire
