package api_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

func TestAdminListsTheBookingsOfATrain(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
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

func TestUserListsOwnBookingsInBothOrders(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token, other, admin := s.user(t, "asha"), s.user(t, "ravi"), s.admin(t)
	id := s.train(t, "Delhi", "Jaipur", "Mumbai")
	require.Equal(t, `{"items":[],"next_cursor":""}`, s.get(t, token, "/v1/bookings").text)
	var oldest []string
	for range 3 {
		hold := s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`","count":2,"from":"Jaipur"}`)
		require.Equal(t, []any{1.0, 2.0}, []any{hold.field(t, "from_stop"), hold.field(t, "to_stop")})
		b := s.post(t, token, "/v1/holds/"+hold.str(t, "hold_id")+"/confirm", "")
		oldest = append(oldest, b.str(t, "booking_id"))
	}
	newest := slices.Clone(oldest)
	slices.Reverse(newest)
	for query, want := range map[string][]string{
		"limit=2": newest, "limit=2&order=newest": newest, "limit=1&order=oldest": oldest, "order=oldest": oldest,
	} {
		require.Equal(t, want, s.bookingIDs(t, token, "/v1/bookings?"+query), query)
	}
	require.Empty(t, s.bookingIDs(t, other, "/v1/bookings?limit=2"))
	distant := booking.Cursor{At: time.Date(-7537, 1, 1, 0, 0, 0, 0, time.UTC)}.In(booking.ListBookingsNewest)
	requireInvalid(t, s.get(t, token, "/v1/bookings?cursor="+distant), "cursor")

	cursor := s.get(t, token, "/v1/bookings?limit=1").str(t, "next_cursor")
	for _, path := range []string{"/v1/bookings?order=oldest&", "/v1/trains?", "/v1/trains/" + id.String() + "/bookings?"} {
		requireInvalid(t, s.get(t, admin, path+"cursor="+cursor), "cursor")
	}
	require.Equal(t, 200, s.get(t, token, "/v1/bookings/?limit=2&cursor="+cursor).status)

	one := s.get(t, token, "/v1/bookings/"+oldest[1])
	require.Equal(t, 200, one.status, one.text)
	require.Equal(t, []any{"Jaipur", "Mumbai"}, []any{one.field(t, "from"), one.field(t, "to")})
	require.Equal(t, "Shatabdi Express", one.str(t, "train.name"))
	require.Equal(t, one.json, s.get(t, token, "/v1/bookings?limit=2").field(t, "items").([]any)[1])

	requireProblem(t, 404, booking.CodeNotFound, "No such booking", s.get(t, other, "/v1/bookings/"+oldest[1]))
	require.Equal(t, 204, s.do(t, request{method: "DELETE", path: "/v1/bookings/" + oldest[1], token: token}).status)
	requireProblem(t, 404, booking.CodeNotFound, "No such booking", s.get(t, token, "/v1/bookings/"+oldest[1]))
	require.Equal(t, []string{oldest[0], oldest[2]}, s.bookingIDs(t, token, "/v1/bookings?order=oldest"))
	requireInvalid(t, s.get(t, token, "/v1/bookings?order=x&limit=0&cursor=x&user=y"), "order", "limit", "cursor", "user")
	requireProblem(t, 401, booking.CodeUnauthenticated, "", s.get(t, "", "/v1/bookings"))
}

// A user may have very many bookings, so no endpoint may read all of them to respond with some.
func TestBookingsAreReadByThePageOrByID(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, wrapped(func(real booking.Service) booking.Service { return pagedBookings{real} }))
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	hold := s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`","seats":[1]}`)
	b := s.post(t, token, "/v1/holds/"+hold.str(t, "hold_id")+"/confirm", "").str(t, "booking_id")
	for _, path := range []string{"/v1/bookings", "/v1/bookings?order=newest", "/v1/bookings?order=oldest", "/v1/bookings/" + b} {
		require.Equal(t, 200, s.get(t, token, path).status, path)
	}
}

// pagedBookings refuses to list all bookings of a user at once.
type pagedBookings struct{ booking.Service }

func (p pagedBookings) UserBookings(
	ctx context.Context, user uuid.UUID, page booking.PageRequest,
) (booking.Page[booking.BookedTrain], error) {
	if page.Limit == 0 {
		return booking.Page[booking.BookedTrain]{}, errors.New("all bookings are requested")
	}
	return p.Service.UserBookings(ctx, user, page)
}

// bookingIDs returns the ids of all bookings of a list, from all of its pages.
func (s *testServer) bookingIDs(tb testing.TB, token, path string) (ids []string) {
	tb.Helper()
	for cursor := ""; ; {
		page := s.get(tb, token, path+"&cursor="+cursor)
		for _, item := range page.field(tb, "items").([]any) {
			ids = append(ids, item.(map[string]any)["booking_id"].(string))
		}
		if cursor = page.str(tb, "next_cursor"); cursor == "" {
			return ids
		}
	}
}

func TestViewBookingsListsEachSeatOldestFirst(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	kept := s.train(t, "Delhi", "Mumbai")
	for _, train := range []booking.TrainID{id, kept} {
		hold := s.post(t, token, "/v1/holds", `{"train_id":"`+train.String()+`","seats":[2,1]}`)
		require.Equal(t, 200, s.post(t, token, "/v1/holds/"+hold.str(t, "hold_id")+"/confirm", "").status)
	}
	viewed := s.get(t, token, "/train/view-bookings/").json.([]any)
	require.Len(t, viewed, 4, "one for each seat")
	require.Equal(t, id.String(), viewed[0].(map[string]any)["train_id"], "oldest first")
}
