package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

func TestSeatIsLockedConfirmedAndViewed(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Jaipur", "Mumbai")
	before := time.Now()
	r := s.post(t, token, "/train/book-ticket/", `{"train_id":"`+id.String()+`","seat_number":5,"from":"delhi","to":"jaipur"}`)
	require.Equal(t, 200, r.status, r.text)
	require.Equal(t, id.Seat(5).String(), r.str(t, "seat_id"))
	require.Equal(t, "Seat locked successfully. Confirm booking to book the seat", r.str(t, "message"))
	expires, err := time.Parse(time.RFC3339, r.str(t, "expires_at"))
	require.NoError(t, err)
	require.WithinRange(t, expires, before.Add(booking.DefaultHoldTTL-time.Second), time.Now().Add(booking.DefaultHoldTTL))

	again := s.post(t, token, "/train/book-ticket/", `{"train_id":"`+id.String()+`","seat_number":5,"from":"Delhi","to":"Jaipur"}`)
	require.Equal(t, r.json, again.json, "a second request neither fails nor extends the hold")

	confirm := `{"seat_id":"` + r.str(t, "seat_id") + `"}`
	booked := s.post(t, token, "/train/confirm-booking/", confirm)
	require.Equal(t, 200, booked.status, booked.text)
	require.Equal(t, "Seat booked successfully", booked.str(t, "message"))
	require.Equal(t, booked.json, s.post(t, token, "/train/confirm-booking/", confirm).json, "a retry is safe")

	viewed := s.get(t, token, "/train/view-bookings/")
	require.JSONEq(t, `[{"train_id":"`+id.String()+`","train_name":"Shatabdi Express","seat_number":5,"source":"Delhi","destination":"Jaipur"}]`, viewed.text)
	require.Equal(t, "[]", s.get(t, s.user(t, "ravi"), "/train/view-bookings/").text)
}

func TestSeatOfAnotherUserIsLockedThenBooked(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	asha, ravi := s.user(t, "asha"), s.user(t, "ravi")
	id := s.train(t, "Delhi", "Mumbai")
	held := s.lock(t, asha, id, "5")
	ticket, seat := `{"train_id":"`+id.String()+`","seat_number":5}`, `{"seat_id":"`+held.str(t, "seat_id")+`"}`
	named := `{"seat_id":"` + held.str(t, "seat_id") + `","hold_id":"` + held.str(t, "hold_id") + `"}`

	r := s.post(t, ravi, "/train/book-ticket/", ticket)
	requireProblem(t, 409, booking.CodeSeatLocked, "Seat is already locked", r)
	require.Equal(t, held.str(t, "expires_at"), r.str(t, "becomes_free_at"))
	for _, body := range []string{seat, named} {
		requireProblem(t, 409, booking.CodeSeatNotLocked, "Seat is not locked", s.post(t, ravi, "/train/confirm-booking/", body))
		requireProblem(t, 409, booking.CodeSeatNotLocked, "Seat is not locked", s.post(t, ravi, "/train/release-seat/", body))
	}

	require.Equal(t, 200, s.post(t, asha, "/train/confirm-booking/", named).status)
	requireProblem(t, 409, booking.CodeSeatBooked, "Seat is already booked", s.post(t, ravi, "/train/book-ticket/", ticket))
	requireProblem(t, 409, booking.CodeSeatNotLocked, "", s.post(t, ravi, "/train/confirm-booking/", seat))
	requireProblem(t, 409, booking.CodeSeatNotLocked, "", s.post(t, asha, "/train/release-seat/", seat))
}

func TestReleasedSeatIsAvailableAtOnce(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	asha, ravi := s.user(t, "asha"), s.user(t, "ravi")
	id := s.train(t, "Delhi", "Mumbai")
	seat := `{"seat_id":"` + s.lock(t, asha, id, "5").str(t, "seat_id") + `"}`
	r := s.post(t, asha, "/train/release-seat/", seat)
	require.Equal(t, 200, r.status)
	require.JSONEq(t, `{"message":"Seat released"}`, r.text)
	requireProblem(t, 409, booking.CodeSeatNotLocked, "", s.post(t, asha, "/train/confirm-booking/", seat))
	s.lock(t, ravi, id, "5")
}

func TestExpiredHoldIsNotConfirmed(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(_ *api.Options, rules *booking.HoldRules) { rules.TTL = booking.MinHoldTTL })
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	locked := s.lock(t, token, id, "5")
	seat := `{"seat_id":"` + locked.str(t, "seat_id") + `"}`
	require.Eventually(t, func() bool {
		return strings.Contains(s.get(t, "", search).text, "4,5,6")
	}, 5*time.Second, 20*time.Millisecond)
	for _, path := range []string{"/train/confirm-booking/", "/train/release-seat/"} {
		r := s.post(t, token, path, seat)
		requireProblem(t, 409, booking.CodeHoldExpired, "The hold has expired", r)
		require.Equal(t, locked.str(t, "expires_at"), r.str(t, "expired_at"))
	}
	hold := "/v1/holds/" + locked.str(t, "hold_id")
	requireProblem(t, 409, booking.CodeHoldExpired, "The hold has expired", s.post(t, token, hold+"/confirm", ""))
	requireProblem(t, 409, booking.CodeHoldExpired, "The hold has expired", s.do(t, request{method: "DELETE", path: hold, token: token}))
	requireProblem(t, 404, booking.CodeNotFound, "No such hold", s.post(t, s.user(t, "ravi"), hold+"/confirm", ""))
}

func TestTwoSegmentsOfOneSeatNeedTheHoldID(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Jaipur", "Mumbai")
	ticket := func(from, to string) response {
		return s.post(t, token, "/train/book-ticket/",
			`{"train_id":"`+id.String()+`","seat_number":5,"from":"`+from+`","to":"`+to+`"}`)
	}
	first, second := ticket("Delhi", "Jaipur"), ticket("Jaipur", "Mumbai")
	requireProblem(t, 409, booking.CodeSeatLocked, "", ticket("Delhi", "Mumbai"))
	seat := first.str(t, "seat_id")
	requireProblem(t, 409, booking.CodeAmbiguousHold, "", s.post(t, token, "/train/confirm-booking/", `{"seat_id":"`+seat+`"}`))
	requireProblem(t, 409, booking.CodeAmbiguousHold, "", s.post(t, token, "/train/release-seat/", `{"seat_id":"`+seat+`"}`))
	for _, hold := range []response{first, second} {
		r := s.post(t, token, "/train/confirm-booking/", `{"seat_id":"`+seat+`","hold_id":"`+hold.str(t, "hold_id")+`"}`)
		require.Equal(t, 200, r.status, r.text)
	}
	other := `{"seat_id":"` + id.Seat(6).String() + `","hold_id":"` + first.str(t, "hold_id") + `"}`
	requireProblem(t, 409, booking.CodeSeatNotLocked, "", s.post(t, token, "/train/confirm-booking/", other))
	require.Len(t, s.get(t, token, "/train/view-bookings/").json, 2)
}

func TestInvalidTicketNamesItsFieldsThenWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Jaipur", "Mumbai").String()
	ticket := func(train, seat, more string) response {
		return s.post(t, token, "/train/book-ticket/", `{"train_id":`+train+`,"seat_number":`+seat+more+`}`)
	}
	quoted := `"` + id + `"`
	requireInvalid(t, s.post(t, token, "/train/book-ticket/", `{}`), "train_id", "seat_number")
	for _, seat := range []string{`0`, `-1`, `20001`, `"5"`, `5.5`, `5.0`, `1e99`, `null`, `true`} {
		requireInvalid(t, ticket(quoted, seat, ""), "seat_number")
	}
	for _, train := range []string{`5`, `null`, `""`, `"x"`, `"{` + id + `}"`, `"urn:uuid:` + id + `"`} {
		requireInvalid(t, ticket(train, "5", ""), "train_id")
	}
	requireInvalid(t, ticket(quoted, "5", `,"from":"Mumbai","to":"Delhi"`), "to")
	requireInvalid(t, ticket(quoted, "5", `,"from":"Delhi","to":"delhi"`), "to")
	requireInvalid(t, ticket(quoted, "5", `,"from":"","to":null`), "from", "to")
	requireInvalid(t, ticket(quoted, "5", `,"user":"x","Seat_number":5`), "user", "Seat_number")
	for _, r := range []response{
		ticket(`"`+booking.NewTrainID().String()+`"`, "5", ""),
		ticket(`"`+id[:35]+`1"`, "5", ""), // its last 16 bits are not zero
		ticket(`"00000000-0000-0000-0000-000000000000"`, "5", ""),
		ticket(quoted, "11", ""),
		ticket(quoted, "20000", ""),
		ticket(quoted, "5", `,"from":"Pune"`),
	} {
		requireProblem(t, 404, booking.CodeNotFound, "", r)
	}
}

func TestInvalidSeatNamesItsFieldsThenWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	for _, path := range []string{"/train/confirm-booking/", "/train/release-seat"} {
		requireInvalid(t, s.post(t, token, path, `{}`), "seat_id")
		requireInvalid(t, s.post(t, token, path, `{"seat_id":5}`), "seat_id")
		requireInvalid(t, s.post(t, token, path, `{"seat_id":"x","hold_id":"x"}`), "seat_id", "hold_id")
		requireInvalid(t, s.post(t, token, path, `{"seat_id":"`+id.Seat(5).String()+`","hold_id":null}`), "hold_id")
		for _, seat := range []string{
			id.String(), id.Seat(11).String(), id.Seat(20_001).String(), booking.NewTrainID().Seat(5).String(),
			"00000000-0000-0000-0000-000000000005",
		} {
			requireProblem(t, 404, booking.CodeNotFound, "", s.post(t, token, path, `{"seat_id":"`+seat+`"}`))
		}
		requireProblem(t, 409, booking.CodeSeatNotLocked, "", s.post(t, token, path, `{"seat_id":"`+id.Seat(5).String()+`"}`))
	}
}

func TestHoldsOfOneUserAreLimited(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(_ *api.Options, rules *booking.HoldRules) { rules.MaxSeats = 2 })
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	s.lock(t, token, id, "1")
	s.lock(t, token, id, "2")
	r := s.post(t, token, "/train/book-ticket/", `{"train_id":"`+id.String()+`","seat_number":3}`)
	requireProblem(t, 429, booking.CodeTooManyHolds, "", r)
	require.NotEmpty(t, r.header.Get("Retry-After"))
	for _, asked := range []string{`"count":3`, `"seats":[3,4,5]`} {
		r = s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`",`+asked+`}`)
		requireInvalid(t, r, asked[1:strings.LastIndex(asked, `"`)])
		require.Contains(t, r.text, "at most 2", "waiting would not help")
	}
}

func TestSeatsOfOneUserAreLimitedExceptForAdmins(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, func(_ *api.Options, rules *booking.HoldRules) { rules.MaxSeatsPerUser = 2 })
	id := s.train(t, "Delhi", "Mumbai")
	seats := func(token, numbers string) response {
		return s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`","seats":[`+numbers+`]}`)
	}
	asha := s.user(t, "asha")
	hold := seats(asha, "1,2")
	require.Equal(t, 200, s.post(t, asha, "/v1/holds/"+hold.str(t, "hold_id")+"/confirm", "").status)
	requireProblem(t, 409, booking.CodeTooManySeats, "You may hold and book 2 seats of one train", seats(asha, "3"))
	require.Equal(t, 201, seats(s.user(t, "ravi"), "3").status)
	admin := s.admin(t)
	require.Equal(t, 201, seats(admin, "4,5,6").status)
}

func TestBestAlternativeIsForNamedSeats(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	id := s.train(t, "Delhi", "Mumbai")
	token := s.user(t, "asha")
	s.lock(t, s.user(t, "ravi"), id, "5")
	r := s.post(t, token, "/train/book-ticket/", `{"train_id":"`+id.String()+`","seat_number":5}`)
	requireProblem(t, 409, booking.CodeSeatLocked, "Seat is already locked", r)
	require.Equal(t, []any{4.0, 6.0, 3.0, 7.0, 2.0}, r.field(t, "alternatives"))
	hold := func(asked string) response {
		return s.post(t, token, "/v1/holds", `{"train_id":"`+id.String()+`",`+asked+`}`)
	}
	requireInvalid(t, hold(`"seats":[5],"on_conflict":"wait"`), "on_conflict")
	requireInvalid(t, hold(`"count":1,"on_conflict":"best_alternative"`), "on_conflict")
	require.Contains(t, hold(`"seats":[5],"on_conflict":"best_alternative"`).text, `"seat_number":4`)
}

func TestGroupThatDoesNotFitIsToldHowManySeatsAreFree(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	id := s.train(t, "Delhi", "Mumbai")
	group := func(count int) response {
		return s.post(t, s.user(t, "asha"+fmt.Sprint(count)), "/v1/holds", `{"train_id":"`+id.String()+`","count":`+fmt.Sprint(count)+`}`)
	}
	first := group(8)
	r := group(3)
	requireProblem(t, 409, booking.CodeNotEnoughSeats, "2 of 3 seats are free on this segment", r)
	require.Equal(t, 2.0, r.field(t, "available"))
	require.Equal(t, first.str(t, "expires_at"), r.str(t, "becomes_free_at"))
}

func TestTrainThatDepartedOrIsNotOnSaleSellsNothing(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	for code, train := range map[booking.Code]string{
		booking.CodeDeparted:  `{"name":"a","capacity":5,"stops":[{"station":"a","departs_at":"2020-01-01T00:00:00Z"},{"station":"b"}]}`,
		booking.CodeNotOnSale: `{"name":"a","capacity":5,"on_sale":false,"stops":[{"station":"a"},{"station":"b"}]}`,
	} {
		id := s.post(t, serviceToken, "/v1/trains", train).str(t, "id")
		requireProblem(t, 409, code, "", s.post(t, token, "/train/book-ticket/", `{"train_id":"`+id+`","seat_number":1}`))
	}
	require.Equal(t, "[]", s.get(t, "", "/train/get-trains/?source=a&destination=b").text)
}

// A withdrawn train does not sell what is held. After its departure a booking stays, unless an admin
// cancels it; a delay may be entered at any time.
func TestTrainThatIsWithdrawnOrLeavesAfterASale(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token, other := s.user(t, "asha"), s.user(t, "ravi")
	id := s.train(t, "DELHI", "Mumbai").String()
	put := func(rest string) {
		r := s.do(t, request{method: "PUT", path: "/v1/trains/" + id, token: serviceToken, body: `{"name":"a","capacity":10,` + rest + `}`})
		require.Equal(t, 200, r.status, r.text)
	}
	hold := func() string {
		return s.post(t, token, "/v1/holds", `{"train_id":"`+id+`","seats":[5]}`).str(t, "hold_id")
	}
	h := hold()
	put(`"on_sale":false,"stops":[{"station":"Delhi"},{"station":"Mumbai"}]`)
	requireProblem(t, 409, booking.CodeNotOnSale, "", s.post(t, token, "/v1/holds/"+h+"/confirm", ""))
	require.NotContains(t, s.get(t, "", "/v1/trains/"+id+"/seats").text, "held")
	put(`"stops":[{"station":"Delhi"},{"station":"Mumbai"}]`)
	requireProblem(t, 404, booking.CodeNotFound, "", s.post(t, token, "/v1/holds/"+h+"/confirm", ""))

	h = hold()
	put(`"stops":[{"station":"Delhi","departs_at":"2020-01-01T00:00:00Z"},{"station":"Mumbai"}]`)
	b := s.post(t, token, "/v1/holds/"+h+"/confirm", "")
	require.Equal(t, 200, b.status, "a hold of a train that has left can be confirmed")
	path := "/v1/bookings/" + b.str(t, "booking_id")
	cancel := func(token string) response { return s.do(t, request{method: "DELETE", path: path, token: token}) }
	requireProblem(t, 409, booking.CodeDeparted, "The train has left Delhi", cancel(token))
	requireProblem(t, 404, booking.CodeNotFound, "No such booking", cancel(other))
	require.Equal(t, 200, s.get(t, token, path).status)
	admin := s.admin(t)
	for range 2 {
		require.Equal(t, 204, cancel(admin).status)
	}
	require.Equal(t, 204, cancel(token).status, "it is cancelled")
}

func TestSeatMapShowsASegment(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	id := s.train(t, "Delhi", "Jaipur", "Mumbai")
	s.lock(t, token, id, "1")
	r := s.post(t, token, "/train/book-ticket/", `{"train_id":"`+id.String()+`","seat_number":2,"to":"Jaipur"}`)
	s.post(t, token, "/train/confirm-booking/", `{"seat_id":"`+r.str(t, "seat_id")+`"}`)
	path := "/v1/trains/" + id.String() + "/seats"
	for query, want := range map[string]string{
		"":                        `[{"seat_number":1,"state":"held"},{"seat_number":2,"state":"booked"},`,
		"?from=jaipur":            `[{"seat_number":1,"state":"held"},{"seat_number":2,"state":"available"},`,
		"?from=Delhi&to=Jaipur":   `[{"seat_number":1,"state":"held"},{"seat_number":2,"state":"booked"},`,
		"?from=Jaipur&to=Mumbai&": `[{"seat_number":1,"state":"held"},{"seat_number":2,"state":"available"},`,
	} {
		got := s.get(t, "", path+query)
		require.Equal(t, 200, got.status, got.text)
		require.Len(t, got.json, 10)
		require.True(t, strings.HasPrefix(got.text, want), "%s: %s", query, got.text)
	}
	requireInvalid(t, s.get(t, "", path+"?from=Mumbai&to=Delhi"), "to")
	requireInvalid(t, s.get(t, "", path+"?seat=1"), "seat")
	requireProblem(t, 404, booking.CodeNotFound, "", s.get(t, "", path+"?from=Pune"))
}
