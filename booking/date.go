package booking

import (
	"errors"
	"time"
)

// ErrMalformedDate is the error of ParseDate.
var ErrMalformedDate = errors.New("must be a date like 2026-12-01")

// Date is a day of the calendar, without a time zone: the number of days since 2020-01-01. Dates
// compare as numbers, and d+7 is a week after d. The zero Date is no service day; see Valid.
type Date int32

// The first and the last service day: the id of a departure has 16 bits for the date, and they are not
// all zero.
const (
	FirstDate Date = 1         // 2020-01-02
	LastDate  Date = 1<<16 - 1 // 2199-06-06
)

// dateEpoch is the midnight in UTC at which day 0 begins, in seconds.
const (
	dateEpoch  = 1_577_836_800
	daySeconds = 24 * 60 * 60
)

// DateOf returns the date of t in its own location.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix()
	return Date((midnight - dateEpoch) / daySeconds) //nolint:gosec // the years -9999 to 9999 fit
}

// ParseDate reads the form 2026-12-01, of the years 0000 to 9999. Error: ErrMalformedDate.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return 0, ErrMalformedDate
	}
	return DateOf(t), nil
}

// Valid reports whether d can be a service day: it is FirstDate to LastDate.
func (d Date) Valid() bool { return FirstDate <= d && d <= LastDate }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday {
	const first = Date(time.Wednesday)
	return time.Weekday(((d+first)%7 + 7) % 7)
}

// Begins returns the first moment of the date in a location.
func (d Date) Begins(location *time.Location) time.Time {
	midnight := d.at(0, location)
	if DateOf(midnight) < d {
		// The clock is put forward at midnight. The time of that is when the offset of 23:00 ends.
		_, midnight = midnight.ZoneBounds()
	}
	return midnight
}

// at returns an hour of the date in a location.
func (d Date) at(hour int, location *time.Location) time.Time {
	return time.Date(2020, time.January, 1+int(d), hour, 0, 0, 0, location)
}

// String returns the form 2026-12-01.
func (d Date) String() string { return d.at(0, time.UTC).Format(time.DateOnly) }

// MarshalText implements encoding.TextMarshaler with the form 2026-12-01.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Date) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDate(string(b))
	return err
}
