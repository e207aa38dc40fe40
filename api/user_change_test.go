package api_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// account is a user who has logged in.
type account struct{ path, access, refresh string }

// account creates a user and logs in.
func (s *testServer) account(tb testing.TB, name string) account {
	tb.Helper()
	s.user(tb, name)
	return s.newLogin(tb, name)
}

// newLogin logs in.
func (s *testServer) newLogin(tb testing.TB, name string) account {
	tb.Helper()
	r := s.tryLogin(tb, name, password)
	require.Equal(tb, 200, r.status, r.text)
	identity, err := s.accounts.Identify(r.str(tb, "token.access"))
	require.NoError(tb, err)
	return account{"/v1/users/" + identity.User.String(), r.str(tb, "token.access"), r.str(tb, "token.refresh")}
}

func (s *testServer) tryLogin(tb testing.TB, name, password string) response {
	tb.Helper()
	return s.post(tb, "", "/user/login/", `{"username":"`+name+`","password":"`+password+`"}`)
}

func (s *testServer) refresh(tb testing.TB, token string) response {
	tb.Helper()
	return s.post(tb, "", "/user/token/refresh/", `{"refresh":"`+token+`"}`)
}

func (s *testServer) disable(tb testing.TB, admin, path, disabled string) response {
	tb.Helper()
	return s.do(tb, request{method: "PATCH", path: path, token: admin, body: `{"disabled":` + disabled + `}`})
}

func (s *testServer) delete(tb testing.TB, admin, path string) response {
	tb.Helper()
	return s.do(tb, request{method: "DELETE", path: path, token: admin})
}

// secondAdmin creates another admin than that of admin.
func (s *testServer) secondAdmin(tb testing.TB) account {
	tb.Helper()
	_, err := s.accounts.CreateAdmin(tb.Context(), auth.Registration{
		Username: "second", Email: "second@example.org", Password: password, Password2: password,
	})
	require.NoError(tb, err)
	return s.newLogin(tb, "second")
}

func TestDisabledUserCanNeitherLogInNorRefresh(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	root, asha := s.admin(t), s.account(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	seat := s.lock(t, asha.access, id, "1").str(t, "seat_id")
	for range 2 { // idempotent
		r := s.disable(t, root, asha.path, "true")
		require.Equal(t, 200, r.status, r.text)
		require.Equal(t, true, r.field(t, "disabled"))
	}
	require.Equal(t, true, s.get(t, root, asha.path).field(t, "disabled"))
	require.Len(t, s.get(t, root, "/v1/users").field(t, "items"), 2, "a disabled user is listed")

	requireProblem(t, 403, booking.CodeDisabled, "This account is disabled", s.tryLogin(t, "asha", password))
	wrong, unknown := s.tryLogin(t, "asha", "wrong horse"), s.tryLogin(t, "nobody", "wrong horse")
	requireProblem(t, 401, booking.CodeInvalidCredentials, "", wrong)
	require.Equal(t, withoutInstance(unknown), withoutInstance(wrong), "only the right password reveals the account")
	requireProblem(t, 401, booking.CodeUnauthenticated, "", s.refresh(t, asha.refresh))
	r := s.post(t, asha.access, "/train/confirm-booking/", `{"seat_id":"`+seat+`"}`)
	require.Equal(t, 200, r.status, "an access token works until it expires")

	require.Equal(t, false, s.disable(t, root, asha.path, "false").field(t, "disabled"))
	again := s.newLogin(t, "asha")
	require.Equal(t, 200, s.refresh(t, again.refresh).status)
	requireProblem(t, 401, booking.CodeUnauthenticated, "", s.refresh(t, asha.refresh))
	require.Contains(t, s.get(t, again.access, "/v1/bookings").text, seat, "bookings stay")
}

func TestDeletedUserLeavesItsIDAndBookings(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	root, asha := s.admin(t), s.account(t, "asha")
	id := s.train(t, "Delhi", "Mumbai")
	seat := s.lock(t, asha.access, id, "1").str(t, "seat_id")
	require.Equal(t, 200, s.post(t, asha.access, "/train/confirm-booking/", `{"seat_id":"`+seat+`"}`).status)
	s.lock(t, asha.access, id, "2")
	before := s.get(t, root, asha.path)
	require.NotContains(t, before.text, "deleted_at")

	require.Equal(t, 204, s.delete(t, root, asha.path).status)
	after := s.get(t, root, asha.path)
	require.Equal(t, 200, after.status)
	at, err := time.Parse(time.RFC3339, after.str(t, "deleted_at"))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now(), at, time.Minute)
	require.Equal(t, map[string]any{
		"id": before.str(t, "id"), "username": "", "email": "", "is_admin": false, "disabled": true,
		"created_at": before.str(t, "created_at"), "deleted_at": after.str(t, "deleted_at"),
	}, after.json)
	require.Equal(t, 204, s.delete(t, root, asha.path).status, "idempotent")
	require.Equal(t, after.json, s.get(t, root, asha.path).json)
	require.NotContains(t, s.get(t, root, "/v1/users").text, before.str(t, "id"))
	requireProblem(t, 404, booking.CodeNotFound, "", s.disable(t, root, asha.path, "false"))

	for _, name := range []string{"asha", `\u007f` + before.str(t, "id")} {
		requireProblem(t, 401, booking.CodeInvalidCredentials, "", s.tryLogin(t, name, password))
	}
	requireProblem(t, 401, booking.CodeUnauthenticated, "", s.refresh(t, asha.refresh))
	change := `{"old_password":"` + password + `","password":"battery staple","password2":"battery staple"}`
	requireProblem(t, 401, booking.CodeUnauthenticated, "", s.post(t, asha.access, "/user/change-password/", change))
	require.Contains(t, s.get(t, root, "/v1/trains/"+id.String()+"/bookings").text, before.str(t, "id"))
	seats := s.get(t, root, "/v1/trains/"+id.String()+"/seats").json.([]any)
	require.Equal(t, "booked", seats[0].(map[string]any)["state"])
	require.Equal(t, "held", seats[1].(map[string]any)["state"], "until it expires")

	again := s.account(t, "asha")
	require.NotEqual(t, asha.path, again.path)
	require.JSONEq(t, `[]`, s.get(t, again.access, "/train/view-bookings/").text, "another user")
}

func TestNobodyRegistersTheNameOfADeletedUser(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	root, asha := s.admin(t), s.account(t, "asha")
	require.Equal(t, 204, s.delete(t, root, asha.path).status)
	stored := `\u007f` + asha.path[len("/v1/users/"):]
	for _, name := range []string{"", stored} {
		requireInvalid(t, s.post(t, "", "/user/register/", registration(name)), "username", "email")
	}
}

func TestLastEnabledAdminIsNeitherDisabledNorDeleted(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.admin(t)
	root, second := s.newLogin(t, "root"), s.secondAdmin(t)
	require.Equal(t, 200, s.disable(t, root.access, second.path, "true").status)
	requireProblem(t, 403, booking.CodeForbidden, "", s.get(t, second.access, "/v1/users"))
	for _, r := range []response{s.disable(t, root.access, root.path, "true"), s.delete(t, root.access, root.path)} {
		requireProblem(t, 409, booking.CodeLastAdmin, "This is the last admin who is not disabled", r)
	}
	require.Equal(t, 200, s.disable(t, root.access, second.path, "false").status)
	require.Equal(t, 200, s.get(t, second.access, "/v1/users").status)

	require.Equal(t, 204, s.delete(t, root.access, root.path).status, "another one is left")
	requireProblem(t, 401, booking.CodeUnauthenticated, "", s.get(t, root.access, "/v1/users"))
	requireProblem(t, 409, booking.CodeLastAdmin, "", s.delete(t, second.access, second.path))
}

func TestInvalidChangeOfAUserIsRefused(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	root, asha := s.admin(t), s.account(t, "asha")
	change := func(path, body string) response {
		return s.do(t, request{method: "PATCH", path: path, token: root, body: body})
	}
	for body, field := range map[string]string{
		`{}`: "disabled", `{"disabled":"true"}`: "disabled", `{"disabled":null}`: "disabled", `{"disabled":1}`: "disabled",
		`{"disabled":true,"is_admin":true}`: "is_admin", `{"disabled":true,"disabled":false}`: "disabled",
	} {
		requireInvalid(t, change(asha.path, body), field)
	}
	require.Equal(t, false, s.get(t, root, asha.path).field(t, "disabled"))
	for _, id := range []string{uuid.NewString(), "asha"} {
		requireProblem(t, 404, booking.CodeNotFound, "", change("/v1/users/"+id, `{"disabled":true}`))
		requireProblem(t, 404, booking.CodeNotFound, "", s.delete(t, root, "/v1/users/"+id))
	}
}
