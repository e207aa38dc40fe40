package actors

import (
	"errors"
	"math"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/actors/activation"
	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
)

// The messages of package wire and the types of package booking. A message of a peer may contain
// anything: ids of a wrong length become zero.

// micros returns the microseconds since 1970, 0 for the zero time.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

func fromDurationMicros(n int64) time.Duration { return time.Duration(n) * time.Microsecond }

func toUUID(b []byte) uuid.UUID {
	id, err := uuid.FromBytes(b)
	if err != nil {
		return uuid.Nil
	}
	return id
}

func toTrainID(b []byte) booking.TrainID { return booking.TrainID(toUUID(b)) }

func toHoldID(b []byte) (id booking.HoldID) {
	if len(b) == len(id) {
		copy(id[:], b)
	}
	return id
}

// toUint32 returns n, or the nearest value that can be encoded, which the owner refuses as it
// refuses n.
func toUint32(n int) uint32 { return uint32(min(max(n, 0), math.MaxUint32)) }

func fromInts(numbers []int) []uint32 {
	encoded := make([]uint32, len(numbers))
	for i, n := range numbers {
		encoded[i] = toUint32(n)
	}
	return encoded
}

func toInts(encoded []uint32) []int {
	if len(encoded) == 0 {
		return nil
	}
	numbers := make([]int, len(encoded))
	for i, n := range encoded {
		numbers[i] = int(n)
	}
	return numbers
}

// encodeCommand sets the command of a request; false if peers do not send it.
func encodeCommand(q *wire.ExecuteRequest, c activation.Command) bool {
	switch c := c.(type) {
	case activation.Hold:
		q.Command = &wire.ExecuteRequest_Hold{Hold: &wire.Hold{
			Id: c.ID[:], User: c.User[:], Seats: fromInts(c.Seats), Count: toUint32(c.Count),
			From: c.From, To: c.To, NewId: c.NewID, BestAlternative: c.BestAlternative, Unlimited: c.Unlimited,
		}}
	case activation.Confirm:
		if c.Seats != nil {
			q.Command = &wire.ExecuteRequest_ConfirmSeats{ConfirmSeats: encodeSeats(c.HoldRef)}
			return true
		}
		q.Command = &wire.ExecuteRequest_Confirm{Confirm: encodeRef(c.HoldRef)}
	case activation.Extend:
		q.Command = &wire.ExecuteRequest_Extend{Extend: encodeRef(c.HoldRef)}
	case activation.Release:
		if c.Seats != nil {
			q.Command = &wire.ExecuteRequest_ReleaseSeats{ReleaseSeats: encodeSeats(c.HoldRef)}
			return true
		}
		q.Command = &wire.ExecuteRequest_Release{Release: encodeRef(c.HoldRef)}
	case activation.Cancel:
		if c.Seats != nil {
			q.Command = &wire.ExecuteRequest_CancelSeats{CancelSeats: &wire.CancelSeats{
				Cancel: encodeCancel(c), Seats: fromInts(c.Seats),
			}}
			return true
		}
		q.Command = &wire.ExecuteRequest_Cancel{Cancel: encodeCancel(c)}
	case activation.CheckCancel:
		q.Command = &wire.ExecuteRequest_CheckCancel{CheckCancel: &wire.CheckCancel{User: c.User[:], Booking: c.ID[:]}}
	case activation.Exchange:
		q.Command = &wire.ExecuteRequest_Exchange{Exchange: &wire.Exchange{
			Hold: encodeRef(c.HoldRef), OldTrain: c.OldTrain[:], OldBooking: c.Old[:],
		}}
	case activation.Change:
		q.Command = &wire.ExecuteRequest_Change{Change: encodeTrain(&c.To)}
	case activation.Delete:
		encodeDelete(q, c)
	case activation.Follow:
		return encodeFollow(q, c)
	default:
		return false
	}
	return true
}

// decodeCommand returns nil for a command that this version does not know.
func decodeCommand(q *wire.ExecuteRequest) activation.Command {
	train := toTrainID(q.GetTrain())
	switch c := q.GetCommand().(type) {
	case *wire.ExecuteRequest_Hold:
		return activation.Hold{NewID: c.Hold.GetNewId(), HoldRequest: booking.HoldRequest{
			ID: toHoldID(c.Hold.GetId()), User: toUUID(c.Hold.GetUser()), Train: train,
			Seats: toInts(c.Hold.GetSeats()), Count: int(c.Hold.GetCount()), From: c.Hold.GetFrom(), To: c.Hold.GetTo(),
			BestAlternative: c.Hold.GetBestAlternative(), Unlimited: c.Hold.GetUnlimited(),
		}}
	case *wire.ExecuteRequest_Confirm:
		return activation.Confirm{HoldRef: decodeRef(train, c.Confirm)}
	case *wire.ExecuteRequest_ConfirmSeats:
		return activation.Confirm{HoldRef: decodeSeats(train, c.ConfirmSeats)}
	case *wire.ExecuteRequest_ReleaseSeats:
		return activation.Release{HoldRef: decodeSeats(train, c.ReleaseSeats)}
	case *wire.ExecuteRequest_Extend:
		return activation.Extend{HoldRef: decodeRef(train, c.Extend)}
	case *wire.ExecuteRequest_Release:
		return activation.Release{HoldRef: decodeRef(train, c.Release)}
	case *wire.ExecuteRequest_Cancel:
		return decodeCancel(c.Cancel, nil)
	case *wire.ExecuteRequest_CancelSeats:
		return decodeCancel(c.CancelSeats.GetCancel(), toInts(c.CancelSeats.GetSeats()))
	case *wire.ExecuteRequest_CheckCancel:
		return activation.CheckCancel{User: toUUID(c.CheckCancel.GetUser()), ID: toUUID(c.CheckCancel.GetBooking())}
	case *wire.ExecuteRequest_Exchange:
		return activation.Exchange{
			HoldRef:  decodeRef(train, c.Exchange.GetHold()),
			OldTrain: toTrainID(c.Exchange.GetOldTrain()), Old: toUUID(c.Exchange.GetOldBooking()),
		}
	case *wire.ExecuteRequest_Change:
		return activation.Change{To: *decodeTrain(c.Change)}
	case *wire.ExecuteRequest_Delete:
		return activation.Delete{Force: c.Delete.GetForce()}
	case *wire.ExecuteRequest_DeleteDeparture:
		d := c.DeleteDeparture
		return activation.Delete{Force: d.GetForce(), Cancels: d.GetCancels(), Follows: d.GetFollows()}
	case *wire.ExecuteRequest_Follow:
		return decodeFollow(train, c.Follow)
	}
	return nil
}

func encodeCancel(c activation.Cancel) *wire.Cancel {
	return &wire.Cancel{User: c.User[:], Booking: c.ID[:], Departed: c.Departed, By: string(c.By)}
}

func decodeCancel(c *wire.Cancel, seats []int) activation.Cancel {
	return activation.Cancel{
		User: toUUID(c.GetUser()), ID: toUUID(c.GetBooking()), Departed: c.GetDeparted(), By: booking.Canceller(c.GetBy()),
		Seats: seats,
	}
}

func encodeRef(r booking.HoldRef) *wire.HoldRef {
	ref := &wire.HoldRef{User: r.User[:], Seat: toUint32(r.Seat)}
	if !r.Hold.IsZero() {
		ref.Hold = r.Hold[:]
	}
	return ref
}

func decodeRef(train booking.TrainID, ref *wire.HoldRef) booking.HoldRef {
	return booking.HoldRef{User: toUUID(ref.GetUser()), Train: train, Seat: int(ref.GetSeat()), Hold: toHoldID(ref.GetHold())}
}

func encodeSeats(r booking.HoldRef) *wire.HoldSeats {
	return &wire.HoldSeats{Ref: encodeRef(r), Seats: fromInts(r.Seats)}
}

func decodeSeats(train booking.TrainID, q *wire.HoldSeats) booking.HoldRef {
	ref := decodeRef(train, q.GetRef())
	ref.Seats = toInts(q.GetSeats())
	return ref
}

func encodeResponse(r response) *wire.ExecuteResponse {
	encoded := &wire.ExecuteResponse{Retry: r.Retry, Lost: r.Lost, Owner: r.Owner, Conflict: r.Conflict}
	if r.Err != nil {
		encoded.Error = encodeError(r.Err)
		return encoded
	}
	switch v := r.Value.(type) {
	case booking.Hold:
		encoded.Result = &wire.ExecuteResponse_Held{Held: &wire.HeldSeats{
			Id: v.ID[:], User: v.User[:], Legs: uint64(v.Legs), Seats: fromInts(v.Seats), ExpiresAt: micros(v.ExpiresAt),
			Extended: v.Extended,
		}}
	case booking.Booking:
		encoded.Result = &wire.ExecuteResponse_Booked{Booked: &wire.Booking{
			Id: v.ID[:], User: v.User[:], Legs: uint64(v.Legs), Seats: fromInts(v.Seats), BookedAt: micros(v.BookedAt),
		}}
	case booking.Train:
		encoded.Result = &wire.ExecuteResponse_Train{Train: encodeTrain(&v)}
	}
	return encoded
}

func decodeResponse(id booking.TrainID, peer string, encoded *wire.ExecuteResponse) response {
	r := response{slow: encoded.GetLate(), Response: activation.Response{
		Retry: encoded.GetRetry(), Lost: encoded.GetLost(), Conflict: encoded.GetConflict(), Owner: encoded.GetOwner(),
	}}
	if e := encoded.GetError(); e != nil {
		r.Err = decodeError(e, peer)
	}
	switch v := encoded.GetResult().(type) {
	case *wire.ExecuteResponse_Held:
		r.Value = booking.Hold{
			ID: toHoldID(v.Held.GetId()), User: toUUID(v.Held.GetUser()), Legs: booking.Legs(v.Held.GetLegs()),
			Seats: toInts(v.Held.GetSeats()), ExpiresAt: fromMicros(v.Held.GetExpiresAt()), Extended: v.Held.GetExtended(),
		}
	case *wire.ExecuteResponse_Booked:
		r.Value = booking.Booking{
			ID: toUUID(v.Booked.GetId()), Train: id, User: toUUID(v.Booked.GetUser()), Legs: booking.Legs(v.Booked.GetLegs()),
			Seats: toInts(v.Booked.GetSeats()), BookedAt: fromMicros(v.Booked.GetBookedAt()),
		}
	case *wire.ExecuteResponse_Train:
		r.Value = *decodeTrain(v.Train)
	}
	return r
}

var seatStates = map[booking.SeatState]wire.SeatState{
	booking.SeatAvailable: wire.SeatState_SEAT_STATE_AVAILABLE,
	booking.SeatHeld:      wire.SeatState_SEAT_STATE_HELD,
	booking.SeatBooked:    wire.SeatState_SEAT_STATE_BOOKED,
}

func fromSeatState(s wire.SeatState) booking.SeatState {
	switch s {
	case wire.SeatState_SEAT_STATE_AVAILABLE:
		return booking.SeatAvailable
	case wire.SeatState_SEAT_STATE_HELD:
		return booking.SeatHeld
	case wire.SeatState_SEAT_STATE_BOOKED:
	}
	return booking.SeatBooked
}

// encodeResult encodes a result, without the train if the caller has it as it was changed at known.
func encodeResult(r *queryResult, known int64) *wire.Availability {
	encoded := &wire.Availability{
		Legs: uint64(r.Segment), SeatList: r.SeatList.Bytes(), Unchanged: known != 0 && known == micros(r.Train.UpdatedAt),
		Booked: toUint32(r.Booked), Held: toUint32(r.Held), Available: toUint32(r.Available),
	}
	if encoded.GetUnchanged() {
		encoded.Train = &wire.Train{Id: r.Train.ID[:]}
	} else {
		encoded.Train = encodeTrain(r.Train)
	}
	for _, seat := range r.Seats {
		encoded.Seats = append(encoded.Seats, seatStates[seat.State])
	}
	return encoded
}

// decodeResult is the inverse of encodeResult, for a caller that has the train as known.
func decodeResult(a *wire.Availability, known *booking.Train) queryResult {
	train := known
	if !a.GetUnchanged() {
		train = decodeTrain(a.GetTrain())
	}
	r := queryResult{Availability: booking.Availability{
		Train: train, Segment: booking.Legs(a.GetLegs()), SeatList: booking.EncodedSeatList(a.GetSeatList()),
		Tally: booking.Tally{Booked: int(a.GetBooked()), Held: int(a.GetHeld()), Available: int(a.GetAvailable())},
	}}
	for i, state := range a.GetSeats() {
		r.Seats = append(r.Seats, booking.Seat{Number: i + 1, State: fromSeatState(state)})
	}
	return r
}

func encodeTrain(t *booking.Train) *wire.Train {
	encoded := &wire.Train{
		Id: t.ID[:], Name: t.Name, Capacity: toUint32(t.Capacity), OnSale: t.OnSale,
		SalesOpenAt: micros(t.SalesOpenAt), CreatedAt: micros(t.CreatedAt), UpdatedAt: micros(t.UpdatedAt),
		Stops: make([]*wire.Stop, len(t.Stops)), Follows: t.Follows,
	}
	for i, s := range t.Stops {
		encoded.Stops[i] = &wire.Stop{Station: s.Station, ArrivesAt: encodeLocal(s.ArrivesAt), DepartsAt: encodeLocal(s.DepartsAt)}
	}
	return encoded
}

func decodeTrain(t *wire.Train) *booking.Train {
	decoded := &booking.Train{
		ID: toTrainID(t.GetId()), Name: t.GetName(), Capacity: int(min(t.GetCapacity(), booking.MaxCapacity)), OnSale: t.GetOnSale(),
		SalesOpenAt: fromMicros(t.GetSalesOpenAt()), CreatedAt: fromMicros(t.GetCreatedAt()), UpdatedAt: fromMicros(t.GetUpdatedAt()),
		Stops: make([]booking.Stop, len(t.GetStops())), Follows: t.GetFollows(),
	}
	for i, s := range t.GetStops() {
		decoded.Stops[i] = booking.Stop{Station: s.GetStation(), ArrivesAt: decodeLocal(s.GetArrivesAt()), DepartsAt: decodeLocal(s.GetDepartsAt())}
	}
	return decoded
}

func encodeLocal(t time.Time) *wire.LocalTime {
	if t.IsZero() {
		return nil
	}
	_, offset := t.Zone()
	return &wire.LocalTime{Seconds: t.Unix(), Nanos: int32(t.Nanosecond()), UtcOffset: int32(offset)} //nolint:gosec // both are small
}

func decodeLocal(t *wire.LocalTime) time.Time {
	if t == nil {
		return time.Time{}
	}
	at := time.Unix(t.GetSeconds(), int64(t.GetNanos()))
	if t.GetUtcOffset() == 0 {
		return at.UTC()
	}
	return at.In(time.FixedZone("", int(t.GetUtcOffset())))
}

// encodeError encodes an error for a client. Any other error becomes the code internal.
func encodeError(err error) *wire.Error {
	e, ok := errors.AsType[*booking.Error](err)
	if !ok {
		e = &booking.Error{Code: booking.CodeInternal, Message: "internal error", Cause: err}
	}
	encoded := &wire.Error{
		Code: string(e.Code), Message: e.Message, Fields: e.Fields, Seats: fromInts(e.Seats),
		BecomesFreeAt: micros(e.BecomesFreeAt), RetryAfter: e.RetryAfter.Microseconds(), Outcome: string(e.Outcome),
		ExpiredAt: micros(e.ExpiredAt), SalesOpenAt: micros(e.SalesOpenAt), Available: toUint32(e.Available),
		Alternatives: fromInts(e.Alternatives),
	}
	if e.Cause != nil {
		encoded.Cause = e.Cause.Error()
	}
	return encoded
}

func decodeError(e *wire.Error, peer string) *booking.Error {
	decoded := &booking.Error{
		Code: booking.Code(e.GetCode()), Message: e.GetMessage(), Fields: e.GetFields(), Seats: toInts(e.GetSeats()),
		BecomesFreeAt: fromMicros(e.GetBecomesFreeAt()), RetryAfter: fromDurationMicros(e.GetRetryAfter()),
		Outcome: booking.Outcome(e.GetOutcome()), ExpiredAt: fromMicros(e.GetExpiredAt()),
		SalesOpenAt: fromMicros(e.GetSalesOpenAt()), Available: int(e.GetAvailable()),
		Alternatives: toInts(e.GetAlternatives()),
	}
	if e.GetCause() != "" {
		decoded.Cause = errors.New(peer + ": " + e.GetCause())
	}
	return decoded
}
