package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

func TestAdminSeesWhoSitsWhere(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token, admin := s.user(t, "asha"), s.admin(t)
	id := s.train(t, "Delhi", "Jaipur", "Mumbai")
	path := "/v1/trains/" + id.String() + "/bookings"
	require.Equal(t, `{"items":[],"next_cursor":""}`, s.get(t, admin, path).text)
	var booked []string
	for _, to := range []string{"Jaipur", "Mumbai"} {
		hold := s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`","count":2,"to":"`+to+`"}`)
		booked = append(booked, s.post(t, token, "/v1/holds/"+hold.str(t, "hold_id")+"/confirm", "").str(t, "booking_id"))
	}
	first := s.get(t, admin, path+"?limit=1")
	item := first.field(t, "items").([]any)[0].(map[string]any)
	require.Equal(t, booked[0], item["booking_id"])
	require.Equal(t, []any{"Delhi", "Jaipur"}, []any{item["from"], item["to"]})
	second := s.get(t, admin, path+"?cursor="+first.str(t, "next_cursor"))
	require.Equal(t, booked[1], second.field(t, "items").([]any)[0].(map[string]any)["booking_id"])
	require.Empty(t, second.str(t, "next_cursor"))

	requireProblem(t, 404, booking.CodeNotFound, "No such train", s.get(t, admin, "/v1/trains/"+booking.NewTrainID().String()+"/bookings"))
	requireProblem(t, 403, booking.CodeForbidden, "", s.get(t, serviceToken, path))
}

func TestDeletedTrainStaysInTheHistory(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	kept := s.train(t, "Delhi", "Mumbai")
	for _, train := range []booking.TrainID{id, kept} {
		hold := s.post(t, token, "/v1/holds", `{"train_id":"`+train.String()+`","seats":[2,1]}`)
		require.Equal(t, 200, s.post(t, token, "/v1/holds/"+hold.str(t, "hold_id")+"/confirm", "").status)
	}
	viewed := s.get(t, token, "/train/view-bookings/").json.([]any)
	require.Len(t, viewed, 4, "seat by seat")
	require.Equal(t, id.String(), viewed[0].(map[string]any)["train_id"], "oldest first")
}
