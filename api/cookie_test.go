package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
)

const cookieName = "__Secure-trainbooking-refresh"

// onPage returns the headers that a browser sends for a page of this server, which a proxy serves at another host.
func onPage(cookie string) http.Header {
	header := http.Header{"Origin": {"https://rail.example.org"}, "Sec-Fetch-Site": {"same-origin"}}
	if cookie != "" {
		header.Set("Cookie", cookieName+"="+cookie)
	}
	return header
}

func (s *testServer) postFrom(tb testing.TB, header http.Header, path, body string) response {
	tb.Helper()
	return s.do(tb, request{method: "POST", path: path, body: body, header: header})
}

// pageLogin logs asha in on the page and returns the value of the cookie.
func (s *testServer) pageLogin(tb testing.TB) (cookie, access string) {
	tb.Helper()
	r := s.postFrom(tb, onPage(""), "/user/login/", `{"username":"asha","password":"`+password+`","cookie":true}`)
	require.Equal(tb, 200, r.status, r.text)
	return setCookie(tb, r), r.str(tb, "token.access")
}

// setCookie returns the value of the cookie that a response sets, and checks its attributes.
func setCookie(tb testing.TB, r response) string {
	tb.Helper()
	require.Len(tb, r.header.Values("Set-Cookie"), 1)
	name, rest, _ := strings.Cut(r.header.Get("Set-Cookie"), "=")
	value, attributes, _ := strings.Cut(rest, ";")
	require.Equal(tb, cookieName, name)
	require.Equal(tb, " Path=/user/; Max-Age=86400; HttpOnly; Secure; SameSite=Strict", attributes)
	require.Len(tb, strings.Split(value, "."), 3)
	require.Equal(tb, "no-store", r.header.Get("Cache-Control"))
	return value
}

func requireRemovedCookie(tb testing.TB, r response) {
	tb.Helper()
	require.Equal(tb, []string{cookieName + "=; Path=/user/; Max-Age=0; HttpOnly; Secure; SameSite=Strict"},
		r.header.Values("Set-Cookie"))
}

func TestPageKeepsItsRefreshTokenInACookie(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.user(t, "asha")
	r := s.postFrom(t, onPage(""), "/user/login/", `{"username":"asha","password":"`+password+`","cookie":true}`)
	first := setCookie(t, r)
	require.NotContains(t, r.text, first)
	require.NotContains(t, r.text, "refresh")

	r = s.postFrom(t, onPage(first), "/user/token/refresh/", "")
	require.Equal(t, 200, r.status, r.text)
	second := setCookie(t, r)
	require.NotEqual(t, first, second)
	require.NotContains(t, r.text, "refresh")
	require.Equal(t, 200, s.get(t, r.str(t, "access"), "/v1/users/me").status)

	r = s.postFrom(t, onPage(second), "/user/logout/", `{}`)
	require.Equal(t, 200, r.status, r.text)
	requireRemovedCookie(t, r)
	r = s.postFrom(t, onPage(second), "/user/token/refresh/", "")
	requireProblem(t, 401, booking.CodeUnauthenticated, "A valid token is needed, log in", r)
	requireRemovedCookie(t, r)
}

func TestTwoTabsShareTheCookie(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.user(t, "asha")
	cookie, _ := s.pageLogin(t)
	var tabs [4]response
	var wait sync.WaitGroup
	for i := range tabs {
		wait.Go(func() { tabs[i] = s.postFrom(t, onPage(cookie), "/user/token/refresh/", "") })
	}
	wait.Wait()
	for _, r := range tabs {
		require.Equal(t, 200, r.status, r.text)
		require.Equal(t, setCookie(t, tabs[0]), setCookie(t, r))
	}
	require.Equal(t, 200, s.postFrom(t, onPage(setCookie(t, tabs[0])), "/user/token/refresh/", "").status)
}

func TestLogoutNeedsTheCookieOrAnAccessToken(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	ravi := s.account(t, "ravi")
	s.user(t, "asha")
	cookie, access := s.pageLogin(t)

	requireProblem(t, 401, booking.CodeUnauthenticated, "", s.postFrom(t, onPage(""), "/user/logout/", ""))
	requireInvalid(t, s.post(t, access, "/user/logout/", ""), "refresh")
	requireProblem(t, 401, booking.CodeUnauthenticated, "",
		s.postFrom(t, onPage(cookie), "/user/logout/", `{"refresh":"`+ravi.refresh+`"}`))
	require.Equal(t, 200, s.refresh(t, ravi.refresh).status, "the cookie of a user ends no session of another")

	header := onPage(cookie)
	header.Set("Authorization", "Bearer "+access)
	require.Equal(t, 200, s.postFrom(t, header, "/user/logout/", "").status)
	requireProblem(t, 401, booking.CodeUnauthenticated, "", s.postFrom(t, onPage(cookie), "/user/token/refresh/", ""))
}

func TestTokenInJSONPrecedesTheCookie(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	ravi := s.account(t, "ravi")
	s.user(t, "asha")
	cookie, _ := s.pageLogin(t)

	r := s.postFrom(t, onPage(cookie), "/user/token/refresh/", `{"refresh":"`+ravi.refresh+`"}`)
	require.Equal(t, 200, r.status, r.text)
	require.Empty(t, r.header.Values("Set-Cookie"))
	identity, err := s.accounts.Identify(r.str(t, "access"))
	require.NoError(t, err)
	require.Equal(t, ravi.path, "/v1/users/"+identity.User.String())

	r = s.postFrom(t, onPage(cookie), "/user/token/refresh/", `{"refresh":""}`)
	requireProblem(t, 401, booking.CodeUnauthenticated, "", r)
	require.Empty(t, r.header.Values("Set-Cookie"))
	requireInvalid(t, s.postFrom(t, onPage(cookie), "/user/token/refresh/", `{"refresh":null}`), "refresh")
	require.Equal(t, 200, s.postFrom(t, onPage(cookie), "/user/token/refresh/", "").status, "it is not used yet")
}

// A browser sends Sec-Fetch-Site over TLS and to localhost, also through a proxy; an old one only Origin.
func TestOnlyPagesOfThisServerUseTheCookie(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.user(t, "asha")
	login := `{"username":"asha","password":"` + password + `","cookie":true}`
	host := strings.TrimPrefix(s.url, "http://")
	for _, row := range []struct {
		name         string
		origin, site string
		status       int
	}{
		{"a program", "", "", 200},
		{"the page", s.url, "same-origin", 200},
		{"the page behind a proxy with TLS", "https://rail.example.org", "same-origin", 200},
		{"an old browser", s.url, "", 200},
		{"an old browser, a proxy with TLS", "https://" + host, "", 200},
		{"typed by the user", "", "none", 200},
		{"another site", "https://evil.example", "cross-site", 403},
		{"another host of the domain", "https://evil.example.org", "same-site", 403},
		{"another port", "http://127.0.0.1:1", "same-site", 403},
		{"another site, an old browser", "https://evil.example", "", 403},
		{"a sandbox", "null", "", 403},
		{"a forged origin", s.url, "cross-site", 403},
	} {
		cookie, _ := s.pageLogin(t)
		header := func() http.Header {
			h := http.Header{"Cookie": {cookieName + "=" + cookie}}
			if row.origin != "" {
				h.Set("Origin", row.origin)
			}
			if row.site != "" {
				h.Set("Sec-Fetch-Site", row.site)
			}
			return h
		}
		for _, in := range []struct{ path, body string }{
			{"/user/login/", login}, {"/user/token/refresh/", ""}, {"/user/logout/", ""},
		} {
			r := s.postFrom(t, header(), in.path, in.body)
			require.Equal(t, row.status, r.status, "%s: %s", row.name, in.path)
			if row.status == 403 {
				requireProblem(t, 403, booking.CodeForbidden,
					"The cookie is only for pages of this server; send tokens in JSON from another origin", r)
				require.Empty(t, r.header.Values("Set-Cookie"), row.name)
			} else if in.path == "/user/token/refresh/" {
				cookie = setCookie(t, r)
			}
		}
		if row.status == 403 {
			require.Equal(t, 200, s.postFrom(t, onPage(cookie), "/user/token/refresh/", "").status, "nothing happened")
			r := s.postFrom(t, header(), "/user/login/", `{"username":"asha","password":"`+password+`"}`)
			require.Equal(t, 200, r.status, "the JSON form has no cookie")
			r = s.postFrom(t, header(), "/user/token/refresh/", `{"refresh":"`+r.str(t, "token.refresh")+`"}`)
			require.Equal(t, 200, r.status)
		}
	}
}

func TestCookieIsNoAccessToken(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.user(t, "asha")
	cookie, access := s.pageLogin(t)
	for _, value := range []string{cookie, access} {
		for _, o := range s.server.Operations() {
			if o.Role == "anyone" || o.Path == "/user/logout/" {
				continue
			}
			path := strings.NewReplacer("{id}", booking.NewTrainID().String(), "{hold_id}", "x").Replace(o.Path)
			r := s.do(t, request{method: o.Method, path: path, header: onPage(value)})
			requireProblem(t, 401, booking.CodeUnauthenticated, "", r)
			require.Empty(t, r.header.Values("Set-Cookie"), o.Path)
		}
	}
}

func TestBadCookieIsRemoved(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.user(t, "asha")
	cookie, access := s.pageLogin(t)
	for _, value := range map[string]string{
		"empty": "", "no token": "x", "access token": access, "changed": cookie[:len(cookie)-4] + "AAAA",
		"quotes": `"` + cookie + `x"`, "header": `x%0d%0aSet-Cookie:%20a=b`, "long": strings.Repeat("a", 10_000),
	} {
		for _, path := range []string{"/user/token/refresh/", "/user/logout/"} {
			r := s.postFrom(t, http.Header{"Cookie": {cookieName + "=" + value}}, path, "")
			requireProblem(t, 401, booking.CodeUnauthenticated, "A valid token is needed, log in", r)
			requireRemovedCookie(t, r)
		}
	}
	r := s.postFrom(t, nil, "/user/token/refresh/?refresh="+cookie, "")
	requireProblem(t, 401, booking.CodeUnauthenticated, "", r)
	require.Empty(t, r.header.Values("Set-Cookie"), "there was none")
	require.Equal(t, 200, s.postFrom(t, onPage(cookie), "/user/token/refresh/", "").status)
}

func TestCookieOfADisabledOrDeletedUserIsRemoved(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	root := s.admin(t)
	asha := s.account(t, "asha")
	cookie, access := s.pageLogin(t)
	require.Equal(t, 200, s.disable(t, root, asha.path, "true").status)
	r := s.postFrom(t, onPage(cookie), "/user/token/refresh/", "")
	requireProblem(t, 401, booking.CodeUnauthenticated, "", r)
	requireRemovedCookie(t, r)
	require.Equal(t, true, s.get(t, access, "/v1/users/me").field(t, "disabled"))
	r = s.postFrom(t, onPage(""), "/user/login/", `{"username":"asha","password":"`+password+`","cookie":true}`)
	requireProblem(t, 403, booking.CodeDisabled, "", r)
	require.Empty(t, r.header.Values("Set-Cookie"))

	require.Equal(t, 200, s.disable(t, root, asha.path, "false").status)
	cookie, access = s.pageLogin(t)
	require.Equal(t, 204, s.delete(t, root, asha.path).status)
	for _, path := range []string{"/user/token/refresh/", "/user/logout/"} {
		r = s.postFrom(t, onPage(cookie), path, "")
		require.Contains(t, []int{200, 401}, r.status, r.text)
		requireRemovedCookie(t, r)
	}
	requireProblem(t, 401, booking.CodeUnauthenticated, "", s.get(t, access, "/v1/users/me"))
}

// Another host of the domain may have set one of them. It would be the only one if that of this server were removed.
func TestOfTwoCookiesNoneIsUsedOrRemoved(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.user(t, "asha")
	cookie, _ := s.pageLogin(t)
	for _, other := range []string{cookie, "x"} {
		for _, path := range []string{"/user/token/refresh/", "/user/logout/"} {
			r := s.postFrom(t, onPage(cookie+"; "+cookieName+"="+other), path, "")
			requireProblem(t, 401, booking.CodeUnauthenticated, "A valid token is needed, log in", r)
			require.Empty(t, r.header.Values("Set-Cookie"))
		}
	}
	require.Equal(t, 200, s.postFrom(t, onPage(cookie), "/user/token/refresh/", "").status)
}

// The user stays logged in, and the browser can try again.
func TestFailureOfTheStoreKeepsTheCookie(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	s.user(t, "asha")
	cookie, _ := s.pageLogin(t)
	require.NoError(t, s.db.Close())
	for _, path := range []string{"/user/token/refresh/", "/user/logout/"} {
		r := s.postFrom(t, onPage(cookie), path, "")
		require.GreaterOrEqual(t, r.status, 500, r.text)
		require.Empty(t, r.header.Values("Set-Cookie"))
	}
}
