package booking

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ErrMalformedLocalTime is the error of ParseLocalTime.
var ErrMalformedLocalTime = errors.New("must be a time like 08:05, 23:59:30 or, after midnight, 25:10")

// MaxLocalTime is the latest time of a schedule. The longest train of the world takes eight days.
const MaxLocalTime = 10 * 24 * time.Hour

// LocalTime is a time of a service day, in whole seconds after the day began: 25:10 is ten past one in
// the next night. A service day begins twelve hours before noon, as in GTFS. That is midnight, but for
// the days on which a clock change moves midnight away from noon.
//
// The zero LocalTime is not given, and is not 00:00.
type LocalTime struct {
	seconds int32
	given   bool
}

// LocalTimeOf returns the time that is so long after the service day began, truncated to seconds.
// Clean refuses what is not within 0 to MaxLocalTime.
func LocalTimeOf(d time.Duration) LocalTime {
	const limit = 1 << 30
	seconds := min(max(d/time.Second, -limit), limit)
	return LocalTime{seconds: int32(seconds), given: true}
}

// ParseLocalTime reads the forms HH:MM and HH:MM:SS, with one to three digits for the hours. Error:
// ErrMalformedLocalTime.
func ParseLocalTime(s string) (LocalTime, error) {
	parts := strings.Split(s, ":")
	if len(parts) < 2 || len(parts) > 3 {
		return LocalTime{}, ErrMalformedLocalTime
	}
	var total time.Duration
	units := []time.Duration{time.Hour, time.Minute, time.Second}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 16) // accepts nothing but digits
		hours := i == 0
		if err != nil || hours && len(part) > 3 || !hours && (len(part) != 2 || n > 59) {
			return LocalTime{}, ErrMalformedLocalTime
		}
		total += time.Duration(n) * units[i]
	}
	return LocalTimeOf(total), nil
}

// IsZero reports whether the time is not given.
func (t LocalTime) IsZero() bool { return t == LocalTime{} }

// Offset returns how long after the beginning of the service day the time is; 0 if it is not given.
func (t LocalTime) Offset() time.Duration { return time.Duration(t.seconds) * time.Second }

// String returns the form HH:MM, with :SS unless that is zero, or "" if the time is not given.
func (t LocalTime) String() string {
	if t.IsZero() {
		return ""
	}
	text := fmt.Sprintf("%02d:%02d", t.seconds/3600, t.seconds/60%60)
	if seconds := t.seconds % 60; seconds != 0 {
		text += fmt.Sprintf(":%02d", seconds)
	}
	return text
}

// MarshalText implements encoding.TextMarshaler with the form of String.
func (t LocalTime) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. A time that is not given has no text.
func (t *LocalTime) UnmarshalText(b []byte) (err error) {
	*t, err = ParseLocalTime(string(b))
	return err
}
