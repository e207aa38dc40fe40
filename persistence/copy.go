package persistence

import (
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Table is one of the tables that are copied from one store to another. Refresh tokens are
// not copied, so users log in again. Holds are copied through Holds.
type Table string

// The tables, in the order in which they are copied.
const (
	TableUsers           Table = "users"
	TableSchedules       Table = "schedules"
	TableFormerSchedules Table = "former schedules"
	TableTrains          Table = "trains"
	TableFormerTrains    Table = "former trains"
	TableSeats           Table = "seats"
	TableBookings        Table = "bookings"
	TableReplies         Table = "replies"
)

// Tables lists every Table in the order in which they are copied.
var Tables = []Table{
	TableUsers, TableSchedules, TableFormerSchedules, TableTrains, TableFormerTrains, TableSeats, TableBookings, TableReplies,
}

// Counts are numbers of rows.
type Counts map[Table]int64

// Rows are a batch of rows of any tables, which one engine exports and another imports.
type Rows struct {
	Users           []booking.User
	Schedules       []StoredSchedule
	FormerSchedules []FormerSchedule
	Trains          []TrainRow
	FormerTrains    []FormerTrain
	Seats           []SeatRow
	Bookings        []BookingRow
	Replies         []ReplyRow
}

// TrainRow is a train, which may be deleted. It does not contain the owner.
type TrainRow struct {
	booking.Train
	Epoch     int64
	DeletedAt time.Time // zero: not deleted
}

// SeatRow is a seat that was sold at least once, with the legs on which it is booked now.
type SeatRow struct {
	Train  booking.TrainID
	Number int
	Legs   booking.Legs
}

// ReplyRow is a reserved key, perhaps with a reply. It does not contain the attempt in flight.
type ReplyRow struct {
	User uuid.UUID
	Key  string
	booking.Reservation
}
