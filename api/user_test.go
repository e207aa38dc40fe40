package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

func TestAccountFromRegistrationToLogout(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	r := s.post(t, "", "/user/register/", registration("asha"))
	require.Equal(t, 201, r.status)
	require.JSONEq(t, `{"message":"User registered successfully"}`, r.text)

	r = s.post(t, "", "/user/login/", `{"username":"ASHA","password":"`+password+`"}`)
	require.Equal(t, 200, r.status)
	require.Equal(t, "Login successful", r.str(t, "msg"))
	access, first := r.str(t, "token.access"), r.str(t, "token.refresh")

	r = s.post(t, "", "/user/token/refresh/", `{"refresh":"`+first+`"}`)
	require.Equal(t, 200, r.status)
	second := r.str(t, "refresh")
	require.NotEqual(t, first, second)

	r = s.post(t, access, "/user/logout/", `{"refresh":"`+second+`"}`)
	require.Equal(t, 200, r.status)
	require.JSONEq(t, `{"message":"Logged out"}`, r.text)
	requireProblem(t, 401, booking.CodeUnauthenticated, "", s.post(t, "", "/user/token/refresh/", `{"refresh":"`+second+`"}`))
}

func TestConcurrentRefreshesReturnOneToken(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	asha := s.account(t, "asha")
	var tabs [4]response
	var wait sync.WaitGroup
	for i := range tabs {
		wait.Go(func() { tabs[i] = s.refresh(t, asha.refresh) })
	}
	wait.Wait()
	for _, r := range tabs {
		require.Equal(t, 200, r.status, r.text)
		require.Equal(t, tabs[0].str(t, "refresh"), r.str(t, "refresh"))
		require.Equal(t, 200, s.get(t, r.str(t, "access"), "/v1/bookings").status)
	}
	require.Equal(t, 200, s.refresh(t, tabs[0].str(t, "refresh")).status)
}

func TestReusedRefreshTokenRevokesItsFamily(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	first := s.account(t, "asha").refresh
	second := s.refresh(t, first).str(t, "refresh")
	third := s.refresh(t, second).str(t, "refresh")
	for _, token := range []string{first, third} {
		requireProblem(t, 401, booking.CodeUnauthenticated, "", s.refresh(t, token))
	}
}

func TestPasswordIsChanged(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	change := func(old, password, again string) response {
		return s.post(t, token, "/user/change-password/",
			`{"old_password":"`+old+`","password":"`+password+`","password2":"`+again+`"}`)
	}
	requireProblem(t, 401, booking.CodeInvalidCredentials, "", change("wrong horse", "battery staple", "battery staple"))
	requireInvalid(t, change(password, "short", "shorter"), "password", "password2")
	r := change(password, "battery staple", "battery staple")
	require.Equal(t, 200, r.status, r.text)
	require.JSONEq(t, `{"message":"Password changed"}`, r.text)
	requireProblem(t, 401, booking.CodeInvalidCredentials, "",
		s.post(t, "", "/user/login/", `{"username":"asha","password":"`+password+`"}`))
}

func TestInvalidRegistrationNamesItsFields(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	long := strings.Repeat("x", 300)
	for _, row := range []struct {
		body   string
		fields []string
	}{
		{`{}`, []string{"username", "email", "password", "password2"}},
		{`{"username":"a","email":"a@example.org","password":"12345678","password2":"12345679"}`, []string{"password2"}},
		{`{"username":1,"email":null,"password":true,"password2":[]}`, []string{"username", "email", "password", "password2"}},
		{`{"username":"a\u0000b","email":"nobody","password":"1234567","password2":"1234567"}`, []string{"username", "email", "password"}},
		{`{"username":"  ","email":"a@example.org","password":"12345678","password2":"12345678"}`, []string{"username"}},
		{`{"username":"` + long + `","email":"` + long + `@x.y","password":"` + long + `","password2":"` + long + `"}`, []string{"username", "email", "password"}},
		{strings.Replace(registration("a"), `{`, `{"is_admin":true,`, 1), []string{"is_admin"}},
		{strings.Replace(registration("a"), `{`, `{"Username":"b",`, 1), []string{"Username"}},
		{strings.Replace(registration("a"), `{`, `{"username":"b",`, 1), []string{"username"}},
	} {
		requireInvalid(t, s.post(t, "", "/user/register/", row.body), row.fields...)
	}
}

func TestNameThatCannotBeSeenIsNotRegistered(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	for _, name := range unseenNames {
		r := s.post(t, "", "/user/register/", strings.Replace(registration("w1"), `"w1"`, jsonString(name), 1))
		requireInvalid(t, r, "username")
		r = s.post(t, "", "/user/register/", strings.Replace(registration("w1"), `"w1@`, `"`+name+`@`, 1))
		requireInvalid(t, r, "email")
	}
	_, err := s.accounts.CreateAdmin(t.Context(), auth.Registration{
		Username: "w1\u034f", Email: "w1@example.org", Password: password, Password2: password,
	})
	require.Equal(t, booking.CodeInvalidRequest, booking.CodeOf(err))
}

func TestUserWithANameThatIsRefusedNowLogsIn(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	hash, err := s.accounts.Hasher.Hash(t.Context(), password)
	require.NoError(t, err)
	require.NoError(t, s.db.CreateUser(t.Context(), booking.User{
		ID: uuid.New(), Username: "w1\u034f", Email: "w1@example.org", PasswordHash: hash, CreatedAt: time.Now(),
	}))
	s.login(t, "w1\u034f")
}

func TestTakenNameIsTakenInAnyCase(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.user(t, "asha")
	requireProblem(t, 409, booking.CodeAlreadyExists, "", s.post(t, "", "/user/register/", registration("ASHA")))
}

func TestUnknownUserAndWrongPasswordGetTheSameResponse(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.user(t, "asha")
	wrong := s.post(t, "", "/user/login/", `{"username":"asha","password":"wrong horse"}`)
	unknown := s.post(t, "", "/user/login/", `{"username":"nobody","password":"wrong horse"}`)
	for _, r := range []response{wrong, unknown, s.post(t, "", "/user/login/", `{"username":"a\u0000","password":"x"}`)} {
		requireProblem(t, 401, booking.CodeInvalidCredentials, "Wrong username or password", r)
		r.json.(map[string]any)["instance"] = ""
		wrong.json.(map[string]any)["instance"] = ""
		require.Equal(t, wrong.json, r.json)
	}
}

func TestGuessingIsRateLimited(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	var r response
	for range 11 {
		r = s.post(t, "", "/user/login/", `{"username":"asha","password":"wrong horse"}`)
	}
	requireProblem(t, 429, booking.CodeRateLimited, "", r)
	require.NotEmpty(t, r.header.Get("Retry-After"))
}

// An IPv6 client has a whole network, which counts as one address.
func TestRegistrationsAreLimitedByAddress(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, trusting("127.0.0.0/8"))
	s.accounts.Registrations = auth.NewRegistrationThrottle(auth.ThrottleOptions{Limit: 2})
	from := func(address, name string) response {
		return s.do(t, request{
			method: "POST", path: "/user/register/", body: registration(name),
			header: http.Header{"X-Forwarded-For": {address}},
		})
	}
	require.Equal(t, 201, from("2001:db8::1", "asha").status)
	requireProblem(t, 409, booking.CodeAlreadyExists, "", from("2001:db8::2", "asha"))
	r := from("2001:db8::3", "ravi")
	requireProblem(t, 429, booking.CodeRateLimited, "Too many registrations from this address, try again later", r)
	require.Equal(t, "3600", r.header.Get("Retry-After"))
	require.Equal(t, 201, from("2001:db8:0:1::1", "ravi").status)
}

func TestAdminGetsUsersWithoutHashes(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.user(t, "asha")
	token := s.admin(t)
	r := s.get(t, token, "/v1/users?limit=1")
	require.Equal(t, 200, r.status, r.text)
	require.NotContains(t, r.text, "argon2")
	asha := r.field(t, "items").([]any)[0].(map[string]any)
	require.Equal(t, "asha", asha["username"])
	require.Equal(t, false, asha["is_admin"])

	next := s.get(t, token, "/v1/users?limit=1&cursor="+r.str(t, "next_cursor"))
	root := next.field(t, "items").([]any)[0].(map[string]any)
	require.Equal(t, "root", root["username"])
	require.Empty(t, next.str(t, "next_cursor"))

	one := s.get(t, token, "/v1/users/"+asha["id"].(string))
	require.Equal(t, asha, one.json)
	requireProblem(t, 404, booking.CodeNotFound, "", s.get(t, token, "/v1/users/10d37399-0000-4000-8000-4d2a8c5b0000"))
}

func TestUserGetsTheirOwnRecord(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	asha, root := s.account(t, "asha"), s.admin(t)
	me := s.get(t, asha.access, "/v1/users/me")
	require.Equal(t, 200, me.status, me.text)
	require.Equal(t, s.get(t, root, asha.path).json, me.json)
	require.Equal(t, "asha@example.org", me.str(t, "email"))
	require.Equal(t, true, s.get(t, root, "/v1/users/me/").field(t, "is_admin"))
	requireInvalid(t, s.get(t, root, "/v1/users/me?limit=1"), "limit")

	// It is the only endpoint that takes "me" for an id.
	requireProblem(t, 404, booking.CodeNotFound, "", s.disable(t, root, "/v1/users/me", "true"))
	requireProblem(t, 404, booking.CodeNotFound, "", s.delete(t, root, "/v1/users/me"))
	requireProblem(t, 404, booking.CodeNotFound, "", s.get(t, root, "/v1/users/me/bookings"))
}

func TestInvalidPageNamesItsFields(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.admin(t)
	for query, fields := range map[string][]string{
		"limit=0": {"limit"}, "limit=1001": {"limit"}, "limit=x": {"limit"}, "limit=": {"limit"}, "limit=1e2": {"limit"},
		"cursor=x": {"cursor"}, "limit=1&limit=1": {"limit"}, "page=2": {"page"}, "Limit=5": {"Limit"},
		"limit=99999999999999999999": {"limit"}, "%zz": {"query"}, "a;b": {"query"},
	} {
		requireInvalid(t, s.get(t, token, "/v1/users?"+query), fields...)
	}
}

// Guessing at one account from one address affects neither other accounts nor other
// addresses, and an unknown name is limited in the same way.
func TestGuessingIsLimitedByAccountAndAddress(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, trusting("127.0.0.0/8"))
	s.user(t, "asha")
	s.user(t, "ravi")
	from := func(address, name, password string) response {
		return s.do(t, request{
			method: "POST", path: "/user/login/", body: `{"username":"` + name + `","password":"` + password + `"}`,
			header: http.Header{"X-Forwarded-For": {address}},
		})
	}
	limited := map[string]map[string]any{}
	for _, name := range []string{"asha", "nobody"} {
		for range auth.DefaultLoginFailures {
			require.Equal(t, 401, from("192.0.2.1", name, "wrong horse").status)
		}
		right, wrong := from("192.0.2.1", name, password), from("192.0.2.1", name, "wrong horse")
		requireProblem(t, 429, booking.CodeRateLimited, "", right)
		require.NotEmpty(t, right.header.Get("Retry-After"))
		limited[name] = withoutInstance(right)
		require.Equal(t, limited[name], withoutInstance(wrong), "the response does not depend on the password")
	}
	require.Equal(t, limited["nobody"], limited["asha"])
	require.Equal(t, 200, from("192.0.2.1", "ravi", password).status)
	require.Equal(t, 200, from("192.0.2.2", "asha", password).status)
}

// A registration reveals only that a name or an email is taken (API.md 3), and not even
// that if the request is invalid.
func TestRegistrationRevealsOnlyThatANameIsTaken(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.user(t, "asha")
	register := func(name, email, again string) response {
		return s.post(t, "", "/user/register/", `{"username":"`+name+`","email":"`+email+`","password":"`+password+`","password2":"`+again+`"}`)
	}
	for _, row := range []struct {
		name, email string
		taken       map[string]any
	}{
		{"asha", "new@example.org", map[string]any{"username": "is taken"}},
		{"new", "ASHA@example.org", map[string]any{"email": "is taken"}},
		{"ASHA", "asha@example.org", map[string]any{"username": "is taken", "email": "is taken"}},
	} {
		r := register(row.name, row.email, password)
		requireProblem(t, 409, booking.CodeAlreadyExists, "A user with this name or email already exists", r)
		require.Equal(t, row.taken, r.field(t, "fields"))
		require.NotContains(t, r.text, "asha", "not even how the account spells it")
	}
	require.Equal(t, withoutInstance(register("new", "new@example.org", "x")), withoutInstance(register("asha", "asha@example.org", "x")))
}
