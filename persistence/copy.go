package persistence

import (
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/booking"
)

// Table is one of the tables that a copy from one store into another takes along.
// Refresh tokens stay behind: whoever has one logs in again. Holds are a matter of Holds.
type Table string

// The tables, in the order in which they are copied.
const (
	TableUsers    Table = "users"
	TableTrains   Table = "trains"
	TableSeats    Table = "seats"
	TableBookings Table = "bookings"
	TableReplies  Table = "replies"
)

// Tables are all of them in that order.
var Tables = []Table{TableUsers, TableTrains, TableSeats, TableBookings, TableReplies}

// Counts are numbers of rows.
type Counts map[Table]int64

// Rows are a batch of rows of any tables as they are stored, on the way from one engine
// to another.
type Rows struct {
	Users    []booking.User
	Trains   []TrainRow
	Seats    []SeatRow
	Bookings []BookingRow
	Replies  []ReplyRow
}

// TrainRow is a train, deleted ones too. Who owned it is not taken along: nobody does.
type TrainRow struct {
	booking.Train
	Epoch     int64
	DeletedAt time.Time // zero: not deleted
}

// SeatRow is a seat that was sold once, with the legs on which it is sold now.
type SeatRow struct {
	Train  booking.TrainID
	Number int
	Legs   booking.Legs
}

// BookingRow is a booking, cancelled or not.
type BookingRow struct {
	booking.Booking
	Epoch int64
}

// ReplyRow is a kept reply.
type ReplyRow struct {
	User uuid.UUID
	Key  string
	booking.Reply
}
