package config

import (
	"net/url"
	"strings"
)

// Origins returns the origins of CORSOrigins. If it finds one that browsers never send, it stops and
// returns that one as wrong.
func (c *Config) Origins() (origins []string, wrong string) {
	for text := range strings.SplitSeq(c.CORSOrigins, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		if !isOrigin(text) {
			return nil, text
		}
		origins = append(origins, text)
	}
	return origins, ""
}

// isOrigin reports whether a browser may send text as Origin: a scheme and a host in lower case, a
// port if it is not that of the scheme, and nothing else (RFC 6454, 6.2). "*" is not accepted: every
// page could then guess passwords from the addresses of its visitors.
func isOrigin(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || text != u.Scheme+"://"+u.Host || strings.HasSuffix(u.Host, ":") {
		return false
	}
	defaultPort := map[string]string{"http": "80", "https": "443"}[u.Scheme]
	return defaultPort != "" && u.Port() != defaultPort && !strings.ContainsFunc(u.Host, func(r rune) bool {
		return r == '*' || r > '~' || r >= 'A' && r <= 'Z'
	})
}
