package api_test

import (
	"context"
	"errors"
	"slices"
	"strings"
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
	require.Equal(t, []any{id.String(), "confirmed"}, []any{item["train_id"], item["state"]})
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
	require.Equal(t, "cancelled", s.get(t, token, "/v1/bookings/"+oldest[1]).str(t, "state"))
	require.Equal(t, []string{oldest[0], oldest[2]}, s.bookingIDs(t, token, "/v1/bookings?order=oldest"))
	requireInvalid(t, s.get(t, token, "/v1/bookings?order=x&limit=0&cursor=x&user=y"), "order", "limit", "cursor", "user")
	requireProblem(t, 401, booking.CodeUnauthenticated, "", s.get(t, "", "/v1/bookings"))
}

// TestCancelledBookingIsShownByEveryEndpoint cancels by a passenger, by an admin, by an admin as a passenger
// and by the deletion of the train.
func TestCancelledBookingIsShownByEveryEndpoint(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token, admin, other := s.user(t, "asha"), s.admin(t), s.user(t, "ravi")
	id := s.train(t, "Delhi", "Jaipur", "Mumbai")
	book := func(token string) string {
		hold := s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`","count":1,"from":"Jaipur"}`)
		booked := s.post(t, token, "/v1/holds/"+hold.str(t, "hold_id")+"/confirm", "")
		require.Equal(t, "confirmed", booked.str(t, "state"))
		return booked.str(t, "booking_id")
	}
	byPassenger, byAdmin, byTrain, ofAdmin := book(token), book(token), book(token), book(admin)
	for booked, canceller := range map[string]string{byPassenger: token, byAdmin: admin, ofAdmin: admin} {
		require.Equal(t, 204, s.delete(t, canceller, "/v1/bookings/"+booked).status)
	}
	require.Len(t, s.get(t, token, "/train/view-bookings/").json, 1)
	departed := `{"name":"a","capacity":10,"stops":[{"station":"Delhi","departs_at":"2020-01-01T00:00:00Z"},` +
		`{"station":"Jaipur","departs_at":"2020-01-01T00:00:00Z"},{"station":"Mumbai"}]}`
	afterDeparture := book(admin)
	put := request{method: "PUT", path: "/v1/trains/" + id.String(), token: admin, body: departed}
	require.Equal(t, 200, s.do(t, put).status)
	require.Equal(t, 204, s.delete(t, admin, "/v1/bookings/"+afterDeparture).status)
	require.Equal(t, 204, s.delete(t, admin, "/v1/trains/"+id.String()+"?force=true").status)
	require.Empty(t, s.get(t, token, "/train/view-bookings/").json)

	path := "/v1/users/" + s.get(t, token, "/v1/bookings/"+byTrain).str(t, "user_id") + "/bookings"
	require.Equal(t, 204, s.delete(t, admin, strings.TrimSuffix(path, "/bookings")).status, "the id stays")
	for booked, by := range map[string]string{byPassenger: "passenger", byAdmin: "admin", byTrain: "train"} {
		one := s.get(t, token, "/v1/bookings/"+booked)
		require.Equal(t, []any{"cancelled", by}, []any{one.field(t, "state"), one.field(t, "cancelled_by")})
		require.Equal(t, []any{"Jaipur", "Mumbai"}, []any{one.field(t, "from"), one.field(t, "to")})
		require.NotEmpty(t, one.str(t, "cancelled_at"))
		require.Equal(t, one.json, s.get(t, admin, "/v1/bookings/"+booked).json)
		requireProblem(t, 404, booking.CodeNotFound, "No such booking", s.get(t, other, "/v1/bookings/"+booked))
		for _, list := range []string{"/v1/bookings", path, "/v1/trains/" + id.String() + "/bookings"} {
			require.Contains(t, s.get(t, map[bool]string{true: token, false: admin}[list == "/v1/bookings"], list+"?state=cancelled").
				field(t, "items"), one.json, list)
		}
	}
	for _, own := range []string{ofAdmin, afterDeparture} {
		require.Equal(t, "passenger", s.get(t, admin, "/v1/bookings/"+own).str(t, "cancelled_by"))
	}
	require.Equal(t, []string{byTrain, byAdmin, byPassenger}, s.bookingIDs(t, admin, path+"?state=cancelled&limit=2"))
	require.Equal(t, []string{byPassenger, byAdmin, byTrain}, s.bookingIDs(t, token, "/v1/bookings?state=cancelled&order=oldest&limit=1"))
	for _, list := range []string{"/v1/bookings?", path + "?", "/v1/trains/" + id.String() + "/bookings?"} {
		require.Empty(t, s.bookingIDs(t, admin, list), "confirmed")
		require.Empty(t, s.bookingIDs(t, admin, list+"state=confirmed"))
		requireInvalid(t, s.get(t, admin, list+"state=Cancelled"), "state")
	}
	unknown := "/v1/users/" + uuid.NewString() + "/bookings"
	requireProblem(t, 404, booking.CodeNotFound, "No such user", s.get(t, admin, unknown))
	cursor := s.get(t, token, "/v1/bookings?state=cancelled&limit=1").str(t, "next_cursor")
	requireInvalid(t, s.get(t, token, "/v1/bookings?cursor="+cursor), "cursor")
}

// A version that did not keep the train of a cancelled booking has shown its stations for the last time.
func TestBookingOfAnUnknownTrainIsShownWithoutIt(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, wrapped(func(real booking.Service) booking.Service { return forgottenTrains{real} }))
	token, id := s.user(t, "asha"), s.train(t, "Delhi", "Mumbai")
	hold := s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`","seats":[1]}`)
	b := s.post(t, token, "/v1/holds/"+hold.str(t, "hold_id")+"/confirm", "").str(t, "booking_id")
	require.Equal(t, 204, s.delete(t, token, "/v1/bookings/"+b).status)
	one := s.get(t, token, "/v1/bookings/"+b)
	require.Equal(t, 200, one.status, one.text)
	for _, missing := range []string{"train", "from", "to", "cancelled_by"} {
		require.NotContains(t, one.json, missing)
	}
	require.Equal(t, 1.0, one.field(t, "to_stop"))
}

// forgottenTrains finds bookings as a version before cancelled them.
type forgottenTrains struct{ booking.Service }

func (f forgottenTrains) FindBooking(ctx context.Context, user, id uuid.UUID) (booking.BookedTrain, error) {
	found, err := f.Service.FindBooking(ctx, user, id)
	found.On, found.CancelledBy = nil, ""
	return found, err
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

func TestSomeSeatsOfABookingAreCancelled(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	hold := s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`","seats":[1,2,3]}`).str(t, "hold_id")
	path := "/v1/bookings/" + s.post(t, token, "/v1/holds/"+hold+"/confirm", "").str(t, "booking_id")
	cancel := func(body string) response {
		return s.do(t, request{method: "DELETE", path: path, token: token, body: body})
	}
	for body, field := range map[string]string{
		`{}`: "seats", `{"seats":[]}`: "seats", `{"seats":[2,2]}`: "seats[1]", `{"seats":"2"}`: "seats", `x`: "body",
	} {
		requireInvalid(t, cancel(body), field)
	}
	requireProblem(t, 404, booking.CodeNotFound, "No such seat of this booking", cancel(`{"seats":[2,4]}`))
	require.Equal(t, 204, cancel(`{"seats":[2]}`).status)
	require.Equal(t, 204, cancel(`{"seats":[2]}`).status, "idempotent")
	left := s.get(t, token, path)
	require.Equal(t, "confirmed", left.str(t, "state"))
	require.Len(t, left.field(t, "seats"), 2)
	cancelled := s.get(t, token, "/v1/bookings?state=cancelled")
	require.Contains(t, cancelled.text, id.Seat(2).String())
	require.NotContains(t, cancelled.text, id.Seat(1).String())
	require.Equal(t, 204, cancel("").status)
	require.Equal(t, "cancelled", s.get(t, token, path).str(t, "state"))
}
