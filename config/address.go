package config

import (
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// address is a host:port. Set adds the brackets that an IPv6 address needs: the environment of a pod
// has only the IP address, so a manifest cannot add brackets for one family.
type address string

// Set implements pflag.Value.
func (a *address) Set(text string) error {
	*a = address(withBrackets(text))
	return nil
}

// String implements pflag.Value.
func (a *address) String() string { return string(*a) }

// Type implements pflag.Value.
func (*address) Type() string { return "string" }

// withBrackets returns fd00::5:8090 as [fd00::5]:8090, and everything else as it is.
func withBrackets(text string) string {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return text
	}
	host, port := text[:colon], text[colon+1:]
	if _, err := strconv.ParseUint(port, 10, 16); err != nil || !isIPv6(host) {
		return text
	}
	return net.JoinHostPort(host, port)
}

func isIPv6(host string) bool {
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Is6()
}

// example returns an example for the message about a text that is not a host:port: the completed
// text if it is an IPv6 address, otherwise usual.
func example(text, usual string) string {
	bare := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if !isIPv6(bare) {
		return usual
	}
	_, port, _ := net.SplitHostPort(usual) // of a constant
	return net.JoinHostPort(bare, port)
}
