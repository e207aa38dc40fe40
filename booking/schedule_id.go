package booking

import (
	"bytes"
	"encoding/binary"

	"github.com/google/uuid"
)

// ScheduleID is a UUID whose last 32 bits are zero. The ids of its departures have the day number of
// their date in the first 16 of these bits, and those of their seats the seat number in the others:
//
//	10d37399-0a4b-8b26-9e0c-6d1f00000000  the schedule
//	10d37399-0a4b-8b26-9e0c-6d1f09de0000  its departure on 2026-12-01, day 2526
//	10d37399-0a4b-8b26-9e0c-6d1f09de0007  seat 7 of that
//
// So an id leads to its schedule and date by masks. But a client may choose any id for a train: only
// that a schedule has the masked id makes a train its departure, and whoever adds a schedule or a
// train has to refuse the id if it would be both. The ids that are made here never are: those of
// schedules have version 8 (RFC 9562), those of trains 4 or 5.
type ScheduleID uuid.UUID

// NewScheduleID returns a random schedule id.
func NewScheduleID() ScheduleID { return ScheduleIDOf(uuid.New()) }

// DerivedScheduleID returns the schedule id that follows from name, so that creating a schedule twice
// under the same name creates one schedule.
func DerivedScheduleID(name string) ScheduleID {
	return ScheduleIDOf(uuid.NewSHA1(idNamespace, []byte("schedule:"+name)))
}

// ScheduleIDOf returns the schedule id that follows from the id of something else.
func ScheduleIDOf(id uuid.UUID) ScheduleID {
	const custom = 8 // the version for what is neither random nor a hash in all of its bits
	id[6] = custom<<4 | id[6]&0x0f
	clear(id[12:])
	return ScheduleID(id)
}

// sourceBytes is how much of a schedule id follows from its source alone. The rest that is not date and
// version, 50 bits, follows from the name too: of 100,000 schedules of a source, two have the same id with
// a probability of 1 in 200,000. A random id seems to be of a source with a probability of 2^-40.
const sourceBytes = 5

// ImportedScheduleID returns the schedule id that follows from the source of an import, such as the
// timetable of a company, and the name of the schedule there. ImportedFrom reports whether an id is of a
// source.
func ImportedScheduleID(source, name string) ScheduleID {
	id := uuid.NewSHA1(idNamespace, []byte("schedule of "+source+"\x00"+name))
	copy(id[:sourceBytes], importSource(source))
	return ScheduleIDOf(id)
}

// ImportedFrom reports whether ImportedScheduleID made the id for a schedule of the source.
func (id ScheduleID) ImportedFrom(source string) bool {
	return bytes.Equal(id[:sourceBytes], importSource(source))
}

func importSource(source string) []byte {
	id := uuid.NewSHA1(idNamespace, []byte("source:"+source))
	return id[:sourceBytes]
}

// ParseScheduleID reads the 36-character form. The result may be an id that no schedule can have; see
// Valid. Error: ErrMalformedID.
func ParseScheduleID(s string) (ScheduleID, error) {
	id, err := parseUUID(s)
	return ScheduleID(id), err
}

// Valid reports whether a schedule can have the id: it is not zero, but its last 32 bits are.
func (id ScheduleID) Valid() bool {
	return binary.BigEndian.Uint32(id[12:]) == 0 && id != ScheduleID{}
}

// Departure returns the train id of the departure on a date. It is the zero id, which no train has, if
// the date is not Valid.
func (id ScheduleID) Departure(date Date) TrainID {
	if !date.Valid() {
		return TrainID{}
	}
	train := TrainID(id)
	binary.BigEndian.PutUint16(train[12:], uint16(date)) //nolint:gosec // Valid
	return train
}

// Schedule returns the schedule and the date of a train that is a departure: one if a schedule has that
// id. It reports false if the id can only be that of a train of its own.
func (id TrainID) Schedule() (ScheduleID, Date, bool) {
	date := Date(binary.BigEndian.Uint16(id[12:]))
	schedule := ScheduleID(id)
	clear(schedule[12:])
	if !id.Valid() || !date.Valid() || !schedule.Valid() {
		return ScheduleID{}, 0, false
	}
	return schedule, date, true
}

func (id ScheduleID) String() string { return uuid.UUID(id).String() }

// MarshalText implements encoding.TextMarshaler with the 36-character form.
func (id ScheduleID) MarshalText() ([]byte, error) { return uuid.UUID(id).MarshalText() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ScheduleID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseScheduleID(string(b))
	return err
}
