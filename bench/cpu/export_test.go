package cpu

import "time"

// Parse is parse for tests.
func Parse(text string) (parent int, own, ended time.Duration, err error) {
	s, err := parse(text)
	return s.parent, s.own, s.ended, err
}

// ParseBusy is parseBusy for tests.
func ParseBusy(text string) (time.Duration, error) { return parseBusy(text) }
