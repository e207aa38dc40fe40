package api

import (
	"net/http"
	"time"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

const (
	// cookieName is the name of the cookie with the refresh token of a page. Browsers refuse a cookie with this
	// prefix that is not Secure, so nobody on the way can replace it.
	cookieName = "__Secure-trainbooking-refresh"
	// cookiePath has the two endpoints that read the cookie. Browsers send it to no other path.
	cookiePath = "/user/"
)

// sameOrigin refuses requests that a browser sends for a page of another origin. It reads Sec-Fetch-Site; if an
// old browser does not send that, it compares the host of Origin with the host of the request.
var sameOrigin = http.NewCrossOriginProtection()

// cookie is the refresh token that a page keeps in a cookie, in a request and its response. The JSON forms of
// login, refresh and logout neither read nor write it.
type cookie struct {
	request *http.Request
	header  http.Header // of the response
}

// checkOrigin returns forbidden if the request is from a page of another origin.
func (c cookie) checkOrigin() error {
	if err := sameOrigin.Check(c.request); err != nil {
		return &booking.Error{
			Code: booking.CodeForbidden, Cause: err,
			Message: "The cookie is only for pages of this server; send tokens in JSON from another origin",
		}
	}
	return nil
}

// exists reports whether the request has the cookie, whatever its value.
func (c cookie) exists() bool { return len(c.request.CookiesNamed(cookieName)) > 0 }

// use calls f with the token. Errors: those of f; forbidden as checkOrigin; unauthenticated if the cookie is
// missing, or given twice, because one of them may be from another host of the same domain. Of two, use removes
// none: this server can remove only its own, and the browser would send the other one alone. If the token is no
// longer valid, use removes the cookie; after another error, such as one of the store, the browser may send it again.
func (c cookie) use(f func(token string) error) error {
	if err := c.checkOrigin(); err != nil {
		return err
	}
	cookies := c.request.CookiesNamed(cookieName)
	if len(cookies) != 1 {
		return auth.Unauthenticated()
	}
	err := f(cookies[0].Value)
	if booking.CodeOf(err) == booking.CodeUnauthenticated {
		c.remove()
	}
	return err
}

// set stores the token in the browser for as long as it is valid.
func (c cookie) set(token string, ttl time.Duration) { c.write(token, int(ttl.Seconds())) }

// remove removes the token from the browser.
func (c cookie) remove() { c.write("", -1) }

func (c cookie) write(value string, maxAge int) {
	written := http.Cookie{
		Name: cookieName, Value: value, Path: cookiePath, MaxAge: maxAge,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
	}
	c.header.Set("Set-Cookie", written.String())
}
