package api_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

// holdID holds a seat and returns the id of the hold.
func (s *testServer) holdID(tb testing.TB, token string, id booking.TrainID, n string) string {
	tb.Helper()
	r := s.post(tb, token, "/v1/holds", `{"train_id":"`+id.String()+`","seats":[`+n+`]}`)
	require.Equal(tb, 201, r.status, r.text)
	return r.str(tb, "hold_id")
}

func TestBookingIsExchangedForAHold(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token, from, to := s.user(t, "asha"), s.train(t, "Delhi", "Mumbai"), s.train(t, "Delhi", "Mumbai")
	confirmed := s.post(t, token, "/v1/holds/"+s.holdID(t, token, from, "1")+"/confirm", "")
	old, hold := "/v1/bookings/"+confirmed.str(t, "booking_id"), s.holdID(t, token, to, "5,6")
	body := `{"hold_id":"` + hold + `"}`
	for _, id := range []string{uuid.NewString(), "x"} {
		requireProblem(t, 404, booking.CodeNotFound, "No such booking", s.post(t, token, "/v1/bookings/"+id+"/exchange", body))
	}
	for _, none := range []string{booking.NewHoldID(to).String(), booking.NewHoldID(booking.NewTrainID()).String()} {
		requireProblem(t, 404, booking.CodeNotFound, "No such hold", s.post(t, token, old+"/exchange", `{"hold_id":"`+none+`"}`))
	}
	require.Equal(t, "confirmed", s.get(t, token, old).str(t, "state"))

	exchanged := s.post(t, token, old+"/exchange", body)
	require.Equal(t, 200, exchanged.status, exchanged.text)
	require.Equal(t, to.String(), exchanged.str(t, "train_id"))
	require.Equal(t, exchanged.text, s.post(t, token, old+"/exchange/", body).text, "a retry is safe")
	require.Equal(t, exchanged.text, s.post(t, token, "/v1/holds/"+hold+"/confirm", "").text, "the shape is that of a confirmation")
	cancelled := s.get(t, token, old)
	require.Equal(t, "cancelled", cancelled.str(t, "state"))
	require.Equal(t, "passenger", cancelled.str(t, "cancelled_by"))
	require.Equal(t, exchanged.str(t, "booked_at"), cancelled.str(t, "cancelled_at"))
	for id, available := range map[booking.TrainID]float64{from: 10, to: 8} {
		require.Equal(t, available, s.get(t, "", "/v1/trains/"+id.String()).field(t, "available"))
	}

	again := `{"hold_id":"` + s.holdID(t, token, to, "1") + `"}`
	requireProblem(t, 409, booking.CodeBookingCancelled, "The booking is cancelled", s.post(t, token, old+"/exchange", again))
	requireProblem(t, 409, booking.CodeHoldConfirmed, "The hold is confirmed already",
		s.post(t, token, "/v1/bookings/"+exchanged.str(t, "booking_id")+"/exchange", body))
}

func TestExchangeWithoutAHoldIsInvalid(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	path := "/v1/bookings/" + uuid.NewString() + "/exchange"
	for body, field := range map[string]string{
		`{}`: "hold_id", `{"hold_id":null}`: "hold_id", `{"hold_id":"x"}`: "hold_id", `{"hold_id":5}`: "hold_id", `x`: "body",
	} {
		requireInvalid(t, s.post(t, token, path, body), field)
	}
	requireInvalid(t, s.post(t, token, path, `{"hold_id":"`+booking.NewHoldID(booking.NewTrainID()).String()+`","seats":[1]}`), "seats")
	require.Equal(t, 400, s.post(t, token, path, "").status)
}

func TestExchangeOfWhatAnotherUserHasLooksLikeThatOfNothing(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	owner, err := s.accounts.Identify(s.user(t, "asha"))
	require.NoError(t, err)
	other := s.user(t, "ravi")
	on, id := s.setup(t, owner.User), s.train(t, "Delhi", "Mumbai")
	own := s.post(t, other, "/v1/holds/"+s.holdID(t, other, id, "1")+"/confirm", "").str(t, "booking_id")
	held, theirs := s.holdID(t, other, id, "2"), on.hold.Hold.String()
	exchange := func(booked, hold string) map[string]any {
		r := s.post(t, other, "/v1/bookings/"+booked+"/exchange", `{"hold_id":"`+hold+`"}`)
		requireProblem(t, 404, booking.CodeNotFound, "", r)
		return withoutInstance(r)
	}
	require.Equal(t, exchange(uuid.NewString(), held), exchange(on.booked.ID.String(), held))
	require.Equal(t, exchange(own, booking.NewHoldID(on.hold.Train).String()), exchange(own, theirs))
	s.requireUnchanged(t, on, "after the requests of another user")
}
