package api

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"
)

// The headers of a preflight's response (WHATWG Fetch, 3.3.3).
const (
	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"
	corsRequest = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id, Traceparent, Tracestate"
	// corsResponse has the headers of responses that pages may read, besides those that all may.
	corsResponse = "Location, Retry-After, X-Request-Id"
	// corsAge is how long browsers may cache a preflight response, in seconds: Chromium's maximum.
	corsAge = "7200"
)

// preflights is the route of preflights in the log and the metrics.
var preflights = route{path: "preflight", quiet: true}

// cors lets pages of other origins call the API. They send tokens themselves: without
// Access-Control-Allow-Credentials a browser gives such a page no response to a request with a cookie, so an
// origin that is allowed here cannot act as somebody who is logged in to the page of this server. Echo's
// middleware is not used, because its package has html/template, which adds 10 MB to the program.
func cors(origins []string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r, header := c.Request(), c.Response().Header()
			header.Add("Vary", "Origin")
			origin := r.Header.Get("Origin")
			allowed := slices.Contains(origins, origin)
			if allowed {
				header.Set("Access-Control-Allow-Origin", origin)
			}
			if !isPreflight(r) {
				if allowed {
					header.Set("Access-Control-Expose-Headers", corsResponse)
				}
				return next(c)
			}
			recordOf(r.Context()).route = &preflights
			if allowed {
				header.Set("Access-Control-Allow-Methods", corsMethods)
				header.Set("Access-Control-Allow-Headers", corsRequest)
				header.Set("Access-Control-Max-Age", corsAge)
			}
			header.Add("Vary", "Access-Control-Request-Method, Access-Control-Request-Headers")
			return c.NoContent(http.StatusNoContent)
		}
	}
}

// isPreflight reports whether the request is a CORS preflight. Other OPTIONS requests get 405, as without CORS.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Origin") != "" &&
		r.Header.Get("Access-Control-Request-Method") != ""
}
