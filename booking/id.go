package booking

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/google/uuid"
)

// ErrMalformedID is the error of the functions that parse ids.
var ErrMalformedID = errors.New("malformed id")

// TrainID is a UUID whose last 16 bits are zero; SeatID uses them for the seat number.
type TrainID uuid.UUID

// NewTrainID returns a random train id.
func NewTrainID() TrainID { return clearSeat(uuid.New()) }

// DerivedTrainID returns the train id that follows from name, so that creating a train
// twice under the same name creates one train.
func DerivedTrainID(name string) TrainID {
	return clearSeat(uuid.NewSHA1(idNamespace, []byte("train:"+name)))
}

// ParseTrainID reads the 36-character form. The result may be an id that no train can have;
// see Valid. Error: ErrMalformedID.
func ParseTrainID(s string) (TrainID, error) {
	id, err := parseUUID(s)
	return TrainID(id), err
}

// Valid reports whether a train can have the id: it is not zero, but its last 16 bits are.
func (id TrainID) Valid() bool { return id[14] == 0 && id[15] == 0 && id != TrainID{} }

// Seat returns the id of seat number n, 1 to MaxCapacity.
func (id TrainID) Seat(n int) SeatID {
	s := SeatID(id)
	binary.BigEndian.PutUint16(s[14:], uint16(n)) //nolint:gosec // MaxCapacity is 20,000
	return s
}

func (id TrainID) String() string { return uuid.UUID(id).String() }

// MarshalText implements encoding.TextMarshaler with the 36-character form.
func (id TrainID) MarshalText() ([]byte, error) { return uuid.UUID(id).MarshalText() }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *TrainID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseTrainID(string(b))
	return err
}

// SeatID is a train id with the seat number in its last 16 bits.
type SeatID uuid.UUID

// ParseSeatID reads the 36-character form. Error: ErrMalformedID.
func ParseSeatID(s string) (SeatID, error) {
	id, err := parseUUID(s)
	return SeatID(id), err
}

// Train returns the id of the seat's train.
func (id SeatID) Train() TrainID { return clearSeat(uuid.UUID(id)) }

// Number returns the seat number, or 0 if the id names no seat.
func (id SeatID) Number() int { return int(binary.BigEndian.Uint16(id[14:])) }

func (id SeatID) String() string { return uuid.UUID(id).String() }

// MarshalText implements encoding.TextMarshaler with the 36-character form.
func (id SeatID) MarshalText() ([]byte, error) { return uuid.UUID(id).MarshalText() }

// HoldID identifies a hold. It carries its train (the first 14 bytes; the other two of
// a train id are zero) and 16 random bytes. Clients see 40 opaque characters.
type HoldID [30]byte

// NewHoldID returns a new id for a hold on train.
func NewHoldID(train TrainID) HoldID { return holdID(train, uuid.New()) }

// DerivedHoldID returns the hold id that follows from train and name.
func DerivedHoldID(train TrainID, name string) HoldID {
	return holdID(train, uuid.NewSHA1(idNamespace, []byte("hold:"+name)))
}

// ParseHoldID reads the 40-character form. Error: ErrMalformedID.
func ParseHoldID(s string) (id HoldID, err error) {
	if len(s) != base64.RawURLEncoding.EncodedLen(len(id)) { // DecodeString ignores line ends
		return id, ErrMalformedID
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(id) {
		return id, ErrMalformedID
	}
	if copy(id[:], b); id.IsZero() {
		return id, ErrMalformedID // zero means that no id is given
	}
	return id, nil
}

// Train returns the id of the hold's train.
func (id HoldID) Train() (t TrainID) {
	copy(t[:14], id[:14])
	return t
}

// IsZero reports whether id is the zero id, which identifies no hold.
func (id HoldID) IsZero() bool { return id == HoldID{} }

func (id HoldID) String() string { return base64.RawURLEncoding.EncodeToString(id[:]) }

// Part returns the id of the hold that some seats of a hold become when only they are confirmed or
// released. It is derived from both, so that a retry finds what an earlier attempt did. The seats are
// ascending.
func (id HoldID) Part(seats []int) HoldID {
	return holdID(id.Train(), uuid.NewSHA1(idNamespace, appendSeats(id[:], seats)))
}

// MarshalText implements encoding.TextMarshaler with the 40-character form.
func (id HoldID) MarshalText() ([]byte, error) {
	return base64.RawURLEncoding.AppendEncode(nil, id[:]), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *HoldID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseHoldID(string(b))
	return err
}

// BookingIDOf returns the id of the booking that user makes by confirming hold. It
// is derived from both, so that a retry finds its booking (RELIABILITY.md 2).
func BookingIDOf(user uuid.UUID, hold HoldID) uuid.UUID {
	return uuid.NewSHA1(idNamespace, append(user[:], hold[:]...))
}

// idNamespace keeps derived ids apart from those of other services (RFC 9562, 5.5).
var idNamespace = uuid.MustParse("5b1f4c1e-6a0e-5d0c-9a53-0d3c6f0a7e11")

func holdID(train TrainID, nonce uuid.UUID) (id HoldID) {
	copy(id[:14], train[:14])
	copy(id[14:], nonce[:])
	return id
}

// appendSeats appends seat numbers to a copy of b.
func appendSeats(b []byte, seats []int) []byte {
	b = slices.Clip(b)
	for _, n := range seats {
		b = binary.BigEndian.AppendUint16(b, uint16(n)) //nolint:gosec // at most MaxCapacity
	}
	return b
}

func clearSeat(id uuid.UUID) TrainID {
	id[14], id[15] = 0, 0
	return TrainID(id)
}

// parseUUID accepts only the hyphenated form; uuid.Parse also accepts urn: and braces.
func parseUUID(s string) (uuid.UUID, error) {
	if len(s) != 36 {
		return uuid.UUID{}, ErrMalformedID
	}
	id, err := uuid.Parse(s)
	if err != nil {
		return uuid.UUID{}, ErrMalformedID
	}
	return id, nil
}
