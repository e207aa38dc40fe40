package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// The callers, in the order of the columns of permissions. The owner holds one seat of a
// train and has booked another; the other user has neither.
var callers = [...]string{"anonymous", "owner", "other", "admin", "machine"}

// permission is a request and its status for each caller.
type permission struct {
	operation, query, body string
	statuses               [len(callers)]int
}

// permissions has the status of each operation of openapi.yaml for each caller. Each test
// case has its own train; setup replaces the names in braces with ids of that train.
var permissions = []permission{
	//                                                                     anonymous owner other admin machine
	{"register", "", `{"username":"{new}","email":"{new}@example.org","password":"12345678","password2":"12345678"}`, [...]int{201, 201, 201, 201, 201}},
	{"login", "", `{"username":"asha","password":"` + password + `"}`, [...]int{200, 200, 200, 200, 200}},
	{"refreshTokens", "", `{"refresh":"{refresh}"}`, [...]int{200, 200, 200, 200, 200}},
	{"logout", "", `{"refresh":"{refresh}"}`, [...]int{401, 200, 401, 401, 403}},
	{"logout", "", `{}`, [...]int{401, 400, 400, 400, 403}}, // without the cookie
	{"changePassword", "", `{"old_password":"` + password + `","password":"` + password + `","password2":"` + password + `"}`, [...]int{401, 200, 200, 200, 403}},

	{"addTrain", "", duranto, [...]int{401, 403, 403, 200, 200}},
	{"getTrains", "?source=Delhi&destination=Mumbai", ``, [...]int{200, 200, 200, 200, 200}},
	{"bookTicket", "", `{"train_id":"{train}","seat_number":3}`, [...]int{401, 200, 200, 200, 403}},
	{"bookTicket", "", `{"train_id":"{train}","seat_number":1}`, [...]int{401, 200, 409, 409, 403}},
	{"confirmBooking", "", `{"seat_id":"{held}"}`, [...]int{401, 200, 409, 409, 403}},
	{"confirmBooking", "", `{"seat_id":"{held}","hold_id":"{hold}"}`, [...]int{401, 200, 409, 409, 403}},
	{"confirmBooking", "", `{"seat_id":"{booked}"}`, [...]int{401, 200, 409, 409, 403}},
	{"releaseSeat", "", `{"seat_id":"{held}"}`, [...]int{401, 200, 409, 409, 403}},
	{"releaseSeat", "", `{"seat_id":"{held}","hold_id":"{hold}"}`, [...]int{401, 200, 409, 409, 403}},
	{"viewBookings", "", ``, [...]int{401, 200, 200, 200, 403}},

	{"suggestStations", "?q=a", ``, [...]int{200, 200, 200, 200, 200}},
	{"listTrains", "", ``, [...]int{200, 200, 200, 200, 200}},
	{"createTrain", "", shatabdi, [...]int{401, 403, 403, 201, 201}},
	{"findTrain", "", ``, [...]int{200, 200, 200, 200, 200}},
	{"putTrain", "", `{"name":"Another","capacity":10,"stops":[{"station":"Delhi"},{"station":"Mumbai"}]}`, [...]int{401, 403, 403, 200, 200}},
	{"deleteTrain", "", ``, [...]int{401, 403, 403, 409, 409}},
	{"deleteTrain", "?force=true", ``, [...]int{401, 403, 403, 204, 204}},
	{"listTrainBookings", "", ``, [...]int{401, 403, 403, 200, 403}},
	{"findSeatMap", "", ``, [...]int{200, 200, 200, 200, 200}},
	{"watchSeats", "?from=Nowhere", ``, [...]int{404, 404, 404, 404, 404}}, // a stream does not end

	{"listSchedules", "", ``, [...]int{200, 200, 200, 200, 200}},
	{"createSchedule", "", nightTrain, [...]int{401, 403, 403, 201, 201}},
	{"findSchedule", "", ``, [...]int{200, 200, 200, 200, 200}},
	{"putSchedule", "", nightTrain, [...]int{401, 403, 403, 200, 200}},
	{"deleteSchedule", "", ``, [...]int{401, 403, 403, 204, 204}},
	{"listDepartures", "", ``, [...]int{200, 200, 200, 200, 200}},

	{"listHolds", "", ``, [...]int{401, 200, 200, 200, 403}},
	{"holdSeats", "", `{"train_id":"{train}","count":2}`, [...]int{401, 201, 201, 201, 403}},
	{"releaseHold", "", ``, [...]int{401, 204, 404, 404, 403}},
	{"confirmHold", "", ``, [...]int{401, 200, 404, 404, 403}},
	{"extendHold", "", ``, [...]int{401, 200, 404, 404, 403}},
	{"listBookings", "", ``, [...]int{401, 200, 200, 200, 403}},
	{"findBooking", "", ``, [...]int{401, 200, 404, 200, 403}},
	{"cancelBooking", "", ``, [...]int{401, 204, 404, 204, 403}},
	{"exchangeBooking", "", `{"hold_id":"{hold}"}`, [...]int{401, 200, 404, 404, 403}},

	{"listUsers", "", ``, [...]int{401, 403, 403, 200, 403}},
	{"findMe", "", ``, [...]int{401, 200, 200, 200, 403}},
	{"findUser", "", ``, [...]int{401, 403, 403, 200, 403}},
	{"updateUser", "", `{"disabled":true}`, [...]int{401, 403, 403, 200, 403}},
	{"deleteUser", "", ``, [...]int{401, 403, 403, 204, 403}},
	{"listUserBookings", "", ``, [...]int{401, 403, 403, 200, 403}},

	{"checkHealth", "", ``, [...]int{200, 200, 200, 200, 200}},
	{"checkReadiness", "", ``, [...]int{200, 200, 200, 200, 200}},
}

// trainSetup is a train whose owner holds seat 1 and has booked seat 2. In paths, the user is another
// one, whom the caller may disable or delete.
type trainSetup struct {
	hold   booking.HoldRef
	booked booking.Booking
	names  *strings.Replacer
}

func (s *testServer) setup(tb testing.TB, owner uuid.UUID) trainSetup {
	tb.Helper()
	id := s.train(tb, "Delhi", "Mumbai")
	ref := func(seat int) booking.HoldRef {
		hold, err := s.trains.Hold(tb.Context(), booking.HoldRequest{
			ID: booking.NewHoldID(id), User: owner, Train: id, Seats: []int{seat},
		})
		require.NoError(tb, err)
		return booking.HoldRef{User: owner, Train: id, Hold: hold.ID}
	}
	booked, err := s.trains.Confirm(tb.Context(), ref(2))
	require.NoError(tb, err)
	held := ref(1)
	schedule := s.schedule(tb, nightTrain)
	name := "u" + uuid.NewString()[:8]
	stranger, err := s.accounts.Register(tb.Context(), auth.Registration{
		Username: name, Email: name + "@example.org", Password: password, Password2: password,
	}, "")
	require.NoError(tb, err)
	login := s.post(tb, "", "/user/login/", `{"username":"asha","password":"`+password+`"}`)
	return trainSetup{hold: held, booked: booked, names: strings.NewReplacer(
		"/trains/{id}", "/trains/"+id.String(), "/bookings/{id}", "/bookings/"+booked.ID.String(),
		"/schedules/{id}", "/schedules/"+schedule.String(), "/users/{id}", "/users/"+stranger.ID.String(), "{hold_id}", held.Hold.String(), "{hold}", held.Hold.String(),
		"{train}", id.String(), "{held}", id.Seat(1).String(), "{booked}", id.Seat(2).String(),
		"{refresh}", login.str(tb, "token.refresh"), "{new}", "u"+uuid.NewString()[:8],
	)}
}

// requireUnchanged checks that the owner still has the hold and the booking.
func (s *testServer) requireUnchanged(tb testing.TB, on trainSetup, cell string) {
	tb.Helper()
	page, err := s.trains.TrainBookings(tb.Context(), on.hold.Train, booking.PageRequest{})
	require.NoError(tb, err, cell)
	require.Len(tb, page.Items, 1, cell)
	require.Equal(tb, on.booked, page.Items[0].Booking, cell)
	b, err := s.trains.Confirm(tb.Context(), on.hold)
	require.NoError(tb, err, cell)
	require.Equal(tb, []int{1}, b.Seats, cell)
}

// Every operation must have a row and every row an operation. A rejected request must
// change nothing. Only the owner, and admins where permitted, see who has the seats.
func TestEachCallerGetsTheStatusOfThePermissionTable(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	tokens := [...]string{"", s.user(t, "asha"), s.user(t, "ravi"), s.admin(t), serviceToken}
	identity, err := s.accounts.Identify(tokens[1])
	require.NoError(t, err)
	documented := operationsByID(t)
	for _, row := range permissions {
		operation, known := documented[row.operation]
		require.True(t, known, "%s is not an operation", row.operation)
		for i, caller := range callers {
			cell := row.operation + row.query + " " + row.body + " as " + caller
			on := s.setup(t, identity.User)
			r := s.do(t, request{
				method: operation.method, path: on.names.Replace(operation.path) + row.query,
				token: tokens[i], body: on.names.Replace(row.body),
			})
			require.Equal(t, row.statuses[i], r.status, "%s: %s", cell, r.text)
			if r.status >= http.StatusBadRequest {
				s.requireUnchanged(t, on, cell)
			}
			mayKnow := caller == "owner" ||
				caller == "admin" && slices.Contains([]string{"listTrainBookings", "findBooking", "listUsers"}, row.operation)
			for _, private := range []string{on.hold.Hold.String(), on.booked.ID.String(), identity.User.String(), "asha@example.org"} {
				if !mayKnow {
					require.NotContains(t, r.text, private, cell)
				}
			}
		}
	}
	for id := range documented {
		has := slices.ContainsFunc(permissions, func(row permission) bool { return row.operation == id })
		require.True(t, has, "%s has no permission", id)
	}
}

type operation struct{ method, path string }

func operationsByID(tb testing.TB) map[string]operation {
	tb.Helper()
	operations := map[string]operation{}
	for path, item := range loadSpec(tb).Paths.Map() {
		for method, o := range item.Operations() {
			operations[o.OperationID] = operation{method, path}
		}
	}
	return operations
}

// The response for another user's hold or booking is identical to that for a missing one.
func TestAnotherUsersHoldLooksLikeAMissingOne(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	owner, err := s.accounts.Identify(s.user(t, "asha"))
	require.NoError(t, err)
	other := s.user(t, "ravi")
	on := s.setup(t, owner.User)
	theirs, none := on.hold.Hold.String(), booking.NewHoldID(on.hold.Train).String()
	for _, row := range []struct{ method, theirs, none string }{
		{"DELETE", "/v1/holds/" + theirs, "/v1/holds/" + none},
		{"POST", "/v1/holds/" + theirs + "/confirm", "/v1/holds/" + none + "/confirm"},
		{"GET", "/v1/bookings/" + on.booked.ID.String(), "/v1/bookings/" + uuid.NewString()},
		{"DELETE", "/v1/bookings/" + on.booked.ID.String(), "/v1/bookings/" + uuid.NewString()},
	} {
		a := s.do(t, request{method: row.method, path: row.theirs, token: other})
		b := s.do(t, request{method: row.method, path: row.none, token: other})
		requireProblem(t, 404, booking.CodeNotFound, "", a)
		require.Equal(t, withoutInstance(b), withoutInstance(a))
	}
	for _, path := range []string{"/train/confirm-booking/", "/train/release-seat/"} {
		// Seat 1 is held and seat 2 booked by another user, seat 3 is free.
		var responses []map[string]any
		for seat := 1; seat <= 3; seat++ {
			r := s.post(t, other, path, `{"seat_id":"`+on.hold.Train.Seat(seat).String()+`"}`)
			requireProblem(t, 409, booking.CodeSeatNotLocked, "Seat is not locked", r)
			responses = append(responses, withoutInstance(r))
		}
		require.Equal(t, responses[2], responses[0])
		require.Equal(t, responses[2], responses[1])
	}
	s.requireUnchanged(t, on, "after the requests of another user")
}

// withoutInstance returns a problem without the id of its request.
func withoutInstance(r response) map[string]any {
	fields, _ := r.json.(map[string]any)
	delete(fields, "instance")
	return fields
}
