package actors

import (
	"trainbooking.dev/actors/activation"
	"trainbooking.dev/actors/wire"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
)

func encodeDelete(q *wire.ExecuteRequest, c activation.Delete) {
	if !c.Cancels && c.Follows == 0 {
		q.Command = &wire.ExecuteRequest_Delete{Delete: &wire.Delete{Force: c.Force}}
		return
	}
	q.Command = &wire.ExecuteRequest_DeleteDeparture{DeleteDeparture: &wire.DeleteDeparture{
		Force: c.Force, Cancels: c.Cancels, Follows: c.Follows,
	}}
}

func encodeFollow(q *wire.ExecuteRequest, c activation.Follow) bool {
	before, err := persistence.EncodeSchedule(&c.Before)
	if err != nil {
		return false
	}
	after, err := persistence.EncodeSchedule(&c.After)
	q.Command = &wire.ExecuteRequest_Follow{Follow: &wire.Follow{
		Date: int32(c.Date), Before: before, After: after, From: c.From, To: c.To,
	}}
	return err == nil
}

// decodeFollow returns nil if a definition cannot be decoded, as for a command that is not known.
func decodeFollow(train booking.TrainID, f *wire.Follow) activation.Command {
	before, err := decodeDefinition(train, f.GetBefore())
	if err != nil {
		return nil
	}
	after, err := decodeDefinition(train, f.GetAfter())
	if err != nil {
		return nil
	}
	return activation.Follow{
		Date: booking.Date(f.GetDate()), Before: before, After: after, From: f.GetFrom(), To: f.GetTo(),
	}
}

func decodeDefinition(train booking.TrainID, text string) (booking.Schedule, error) {
	schedule, err := persistence.DecodeSchedule(text)
	schedule.ID, _, _ = train.Schedule()
	return schedule, err
}
