package api_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

func TestHoldOfSeveralSeatsIsConfirmedAndItsBookingCancelled(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	asha, ravi := s.user(t, "asha"), s.user(t, "ravi")
	id := s.train(t, "Delhi", "Jaipur", "Mumbai")
	r := s.post(t, asha, "/v1/holds", `{"train_id":"`+id.String()+`","seats":[6,5],"from":"Delhi","to":"Jaipur"}`)
	require.Equal(t, 201, r.status, r.text)
	require.Equal(t, []any{
		map[string]any{"seat_id": id.Seat(5).String(), "seat_number": 5.0},
		map[string]any{"seat_id": id.Seat(6).String(), "seat_number": 6.0},
	}, r.field(t, "seats"))
	hold := "/v1/holds/" + r.str(t, "hold_id")

	requireProblem(t, 404, booking.CodeNotFound, "No such hold", s.post(t, ravi, hold+"/confirm", ""))
	requireProblem(t, 404, booking.CodeNotFound, "No such hold", s.do(t, request{method: "DELETE", path: hold, token: ravi}))
	b := s.post(t, asha, hold+"/confirm", "")
	require.Equal(t, 200, b.status, b.text)
	require.Equal(t, r.field(t, "seats"), b.field(t, "seats"))
	require.Equal(t, b.json, s.post(t, asha, hold+"/confirm/", "").json, "a retry is safe")
	requireProblem(t, 404, booking.CodeNotFound, "No such hold", s.do(t, request{method: "DELETE", path: hold, token: asha}))

	cancel := request{method: "DELETE", path: "/v1/bookings/" + b.str(t, "booking_id"), token: ravi}
	requireProblem(t, 404, booking.CodeNotFound, "", s.do(t, cancel))
	cancel.token = asha
	for range 2 {
		require.Equal(t, 204, s.do(t, cancel).status)
	}
	require.Equal(t, 201, s.post(t, ravi, "/v1/holds", `{"train_id":"`+id.String()+`","seats":[5,6]}`).status)
}

func TestUserListsOwnHolds(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	asha, ravi := s.user(t, "asha"), s.user(t, "ravi")
	none := `{"items":[],"next_cursor":""}`
	require.Equal(t, none, s.get(t, asha, "/v1/holds").text)
	var want []any
	for _, id := range []booking.TrainID{s.train(t, "Delhi", "Jaipur", "Mumbai"), s.train(t, "Delhi", "Jaipur", "Mumbai")} {
		r := s.post(t, asha, "/v1/holds", `{"train_id":"`+id.String()+`","seats":[6,5],"from":"Jaipur"}`)
		item, ok := r.json.(map[string]any)
		require.True(t, ok)
		item["train_id"], item["from"], item["to"] = id.String(), "Jaipur", "Mumbai"
		train, ok := s.get(t, "", "/v1/trains/"+id.String()).json.(map[string]any)
		require.True(t, ok)
		for _, figure := range []string{"booked", "held", "available"} {
			delete(train, figure)
		}
		item["train"] = train
		want = append(want, item)
	}
	listed := s.get(t, asha, "/v1/holds/")
	require.Equal(t, map[string]any{"items": want, "next_cursor": ""}, listed.json)
	require.Equal(t, none, s.get(t, ravi, "/v1/holds").text)
	requireInvalid(t, s.get(t, asha, "/v1/holds?limit=1"), "limit")

	hold := func(i int) string { return "/v1/holds/" + want[i].(map[string]any)["hold_id"].(string) }
	extended := s.post(t, asha, hold(0)+"/extend", "")
	listed = s.get(t, asha, "/v1/holds")
	require.Equal(t, want[1], listed.field(t, "items").([]any)[0])
	require.Equal(t, extended.str(t, "expires_at"), listed.field(t, "items").([]any)[1].(map[string]any)["expires_at"])
	require.Equal(t, 200, s.post(t, asha, hold(0)+"/confirm", "").status)
	require.Equal(t, 204, s.do(t, request{method: "DELETE", path: hold(1), token: asha}).status)
	require.Equal(t, none, s.get(t, asha, "/v1/holds").text)
}

// someHolds is the real service, but some holds cannot be read.
type someHolds struct{ booking.Service }

func (s someHolds) UserHolds(ctx context.Context, user uuid.UUID) (booking.Page[booking.HoldOnTrain], error) {
	page, err := s.Service.UserHolds(ctx, user)
	page.Incomplete = true
	return page, err
}

func TestListOfHoldsReportsThatSomeAreMissing(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, wrapped(func(real booking.Service) booking.Service { return someHolds{real} }))
	require.Equal(t, `{"items":[],"next_cursor":"","incomplete":true}`, s.get(t, s.user(t, "asha"), "/v1/holds").text)
}

// heldIDs is the real service, but records the ids of the requests for holds.
type heldIDs struct {
	booking.Service
	ids *[]booking.HoldID
}

func (h heldIDs) Hold(ctx context.Context, r booking.HoldRequest) (booking.Hold, error) {
	*h.ids = append(*h.ids, r.ID)
	return h.Service.Hold(ctx, r)
}

// With an id, the service has to read what the user had on the train.
func TestOnlyAHoldWithAKeyHasAnIDBeforeItIsMade(t *testing.T) {
	t.Parallel()
	var ids []booking.HoldID
	s := newTestServer(t, wrapped(func(real booking.Service) booking.Service { return heldIDs{real, &ids} }))
	token, id := s.user(t, "asha"), s.train(t, "Delhi", "Mumbai")
	s.lock(t, token, id, "1")
	hold := request{method: "POST", path: "/v1/holds", token: token, body: `{"train_id":"` + id.String() + `","seats":[2]}`}
	require.Equal(t, 201, s.do(t, hold).status)
	hold.header = key("k")
	require.Equal(t, 201, s.do(t, hold).status)
	require.Len(t, ids, 3)
	require.Equal(t, []bool{true, true, false}, []bool{ids[0].IsZero(), ids[1].IsZero(), ids[2].IsZero()})
}

func TestHoldByCountTakesAdjacentSeats(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	s.lock(t, token, id, "2")
	r := s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`","count":3}`)
	require.Equal(t, 201, r.status, r.text)
	require.Equal(t, 3.0, r.field(t, "seats").([]any)[0].(map[string]any)["seat_number"])
	require.Equal(t, 204, s.do(t, request{method: "DELETE", path: "/v1/holds/" + r.str(t, "hold_id") + "/", token: token}).status)
	require.Equal(t, 9.0, s.get(t, "", "/v1/trains/"+id.String()).field(t, "available"))
}

func TestInvalidHoldNamesItsFields(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai").String()
	for _, row := range []struct {
		more   string
		fields []string
	}{
		{``, []string{"seats"}},
		{`,"seats":[1],"count":1`, []string{"seats"}},
		{`,"seats":[]`, []string{"seats"}},
		{`,"seats":5`, []string{"seats"}},
		{`,"seats":null`, []string{"seats"}},
		{`,"seats":[1,"2"]`, []string{"seats[1]"}},
		{`,"seats":[1,2,1]`, []string{"seats[2]"}},
		{`,"seats":[20001]`, []string{"seats[0]"}},
		{`,"count":0`, []string{"count"}},
		{`,"count":2.0`, []string{"count"}},
		{`,"count":1,"hold_id":"x"`, []string{"hold_id"}},
	} {
		r := s.post(t, token, "/v1/holds", `{"train_id":"`+id+`"`+row.more+`}`)
		requireInvalid(t, r, row.fields...)
	}
	requireProblem(t, 404, booking.CodeNotFound, "", s.post(t, token, "/v1/holds", `{"train_id":"`+id+`","seats":[11]}`))
	requireProblem(t, 404, booking.CodeNotFound, "", s.post(t, token, "/v1/holds", `{"train_id":"`+id[:35]+`1","count":1}`))
}

func TestSomeSeatsOfAHoldAreConfirmedAndReleased(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	path := "/v1/holds/" + s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`","seats":[1,2,3,4]}`).str(t, "hold_id")
	confirm := func(body string) response { return s.post(t, token, path+"/confirm", body) }
	release := func(body string) response {
		return s.do(t, request{method: "DELETE", path: path, token: token, body: body})
	}
	for body, field := range map[string]string{
		`{}`: "seats", `{"seats":[]}`: "seats", `{"seats":[2,2]}`: "seats[1]", `{"seats":[2,0,3]}`: "seats[1]", `x`: "body",
	} {
		requireInvalid(t, confirm(body), field)
		requireInvalid(t, release(body), field)
	}
	for _, r := range []response{confirm(`{"seats":[6,2,5]}`), release(`{"seats":[6,2,5]}`)} {
		requireProblem(t, 404, booking.CodeNotFound, "No such seat of this hold", r)
		require.Equal(t, []any{5.0, 6.0}, r.field(t, "seats"))
	}
	part := confirm(`{"seats":[3,2]}`)
	require.Len(t, part.field(t, "seats"), 2)
	require.Equal(t, part.text, confirm(`{"seats":[2,3]}`).text, "idempotent")
	require.Equal(t, 204, release(`{"seats":[1]}`).status)
	require.Equal(t, 204, release(`{"seats":[1]}`).status, "idempotent")
	rest := confirm("")
	require.Len(t, rest.field(t, "seats"), 1)
	require.Equal(t, part.text, confirm(`{"seats":[2,3]}`).text, "the hold has ended")
	require.Equal(t, rest.text, confirm("").text)
	require.Equal(t, 404, release(`{"seats":[4]}`).status)
}
