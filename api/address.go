package api

import (
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// maxLoggedEntry limits how much of an entry of X-Forwarded-For is logged, in bytes. Addresses are shorter.
const maxLoggedEntry = 64

// addresses finds the IP addresses of clients. Echo's own function does not accept an address with a port, which
// some gateways write, and then gives all of their clients the address of the gateway.
type addresses struct {
	trusted []netip.Prefix // of proxies
	logger  *slog.Logger
	warned  sync.Once
}

// clientAddress extracts the IP address of the client: the peer of the connection, or the X-Forwarded-For of
// trusted proxies. Echo's default trusts every peer.
func clientAddress(trusted []netip.Prefix, logger *slog.Logger) echo.IPExtractor {
	if len(trusted) == 0 {
		return echo.ExtractIPDirect()
	}
	return (&addresses{trusted: trusted, logger: logger}).of
}

// of follows X-Forwarded-For from its end, where the nearest proxy adds its peer, to the first address that is not
// a trusted proxy. If all are trusted, that is the first of the header. An entry that is not an address ends the
// search at the proxy that sent it, because anybody may have written the entries before it.
func (a *addresses) of(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	address := plain(peer.Addr())
	if !a.trusts(address) {
		return address.String()
	}
	for _, line := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for line != "" {
			comma := strings.LastIndexByte(line, ',')
			entry := strings.Trim(line[comma+1:], " \t")
			line = line[:max(comma, 0)]
			if entry == "" { // empty elements of a list are ignored (RFC 9110, 5.6.1)
				continue
			}
			next, ok := parseEntry(entry)
			if !ok {
				a.warn(address, entry)
				return address.String()
			}
			if address = next; !a.trusts(address) {
				return address.String()
			}
		}
	}
	return address.String()
}

// parseEntry parses an entry of X-Forwarded-For: an IP address, which may have a port, a zone and brackets.
func parseEntry(entry string) (netip.Addr, bool) {
	if address, err := netip.ParseAddr(entry); err == nil {
		return plain(address), true
	}
	if withPort, err := netip.ParseAddrPort(entry); err == nil {
		return plain(withPort.Addr()), true
	}
	inner, opened := strings.CutPrefix(entry, "[")
	inner, closed := strings.CutSuffix(inner, "]")
	address, err := netip.ParseAddr(inner)
	return plain(address), opened && closed && err == nil && address.Is6()
}

// plain returns an address in the form that prefixes contain: without a zone, and an IPv4-mapped one as IPv4.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

func (a *addresses) trusts(address netip.Addr) bool {
	return slices.ContainsFunc(a.trusted, func(network netip.Prefix) bool { return network.Contains(address) })
}

// warn logs the first entry that is not an address. Later ones would repeat it with each request.
func (a *addresses) warn(proxy netip.Addr, entry string) {
	a.warned.Do(func() {
		a.logger.Warn("a trusted proxy sends an X-Forwarded-For entry that is not an address, so its clients share "+
			"one address and its limits of logins and registrations; this is logged once",
			"proxy", proxy.String(), "entry", entry[:min(len(entry), maxLoggedEntry)])
	})
}
