package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// route is a row of the table from which everything is registered: routing, roles,
// body rules, labels of the metrics, and the test that openapi.yaml is complete.
type route struct {
	method, path string // the path as OpenAPI writes it
	role         role
	body         bodyRule
	keyed        bool // a creating POST: accepts Idempotency-Key
	endpoint     endpoint
	page         page // instead of endpoint: what is no part of the API
	quiet        bool // asked all the time: its log line is for debugging
}

func (s *Server) table() []route {
	return []route{
		{method: "POST", path: "/user/register/", body: requiredBody, endpoint: takes(s.register)},
		{method: "POST", path: "/user/login/", body: requiredBody, endpoint: takes(s.login)},
		{method: "POST", path: "/user/token/refresh/", body: requiredBody, endpoint: takes(s.refresh)},
		{method: "POST", path: "/user/logout/", role: user, body: requiredBody, endpoint: takes(s.logout)},
		{method: "POST", path: "/user/change-password/", role: user, body: requiredBody, endpoint: takes(s.changePassword)},

		{method: "POST", path: "/train/add-train/", role: trainAdmin, body: requiredBody, keyed: true, endpoint: takes(s.addTrain)},
		{method: "GET", path: "/train/get-trains/", body: optionalBody, endpoint: takes(s.getTrains)},
		{method: "POST", path: "/train/book-ticket/", role: user, body: requiredBody, endpoint: takes(s.bookTicket)},
		{method: "POST", path: "/train/confirm-booking/", role: user, body: requiredBody, endpoint: takes(s.confirmBooking)},
		{method: "POST", path: "/train/release-seat/", role: user, body: requiredBody, endpoint: takes(s.releaseSeat)},
		{method: "GET", path: "/train/view-bookings/", role: user, endpoint: takes(s.viewBookings)},

		{method: "GET", path: "/v1/trains", endpoint: takes(s.listTrains)},
		{method: "POST", path: "/v1/trains", role: trainAdmin, body: requiredBody, keyed: true, endpoint: takes(s.createTrain)},
		{method: "GET", path: "/v1/trains/{id}", endpoint: takes(s.findTrain)},
		{method: "PUT", path: "/v1/trains/{id}", role: trainAdmin, body: requiredBody, endpoint: takes(s.putTrain)},
		{method: "DELETE", path: "/v1/trains/{id}", role: trainAdmin, endpoint: takes(s.deleteTrain)},
		{method: "GET", path: "/v1/trains/{id}/bookings", role: admin, endpoint: takes(s.trainBookings)},
		{method: "GET", path: "/v1/trains/{id}/seats", endpoint: takes(s.seatMap)},

		{method: "POST", path: "/v1/holds", role: user, body: requiredBody, keyed: true, endpoint: takes(s.hold)},
		{method: "DELETE", path: "/v1/holds/{hold_id}", role: user, endpoint: takes(s.releaseHold)},
		{method: "POST", path: "/v1/holds/{hold_id}/confirm", role: user, endpoint: takes(s.confirmHold)},
		{method: "GET", path: "/v1/bookings", role: user, endpoint: takes(s.listBookings)},
		{method: "GET", path: "/v1/bookings/{id}", role: user, endpoint: takes(s.findBooking)},
		{method: "DELETE", path: "/v1/bookings/{id}", role: user, endpoint: takes(s.cancelBooking)},

		{method: "GET", path: "/v1/users", role: admin, endpoint: takes(s.listUsers)},
		{method: "GET", path: "/v1/users/{id}", role: admin, endpoint: takes(s.findUser)},

		{method: "GET", path: "/healthz", endpoint: takes(s.healthz), quiet: true},
		{method: "GET", path: "/readyz", endpoint: takes(s.readyz), quiet: true},
		{method: "GET", path: "/openapi.yaml", page: openAPI},
		{method: "GET", path: "/docs", page: docsPage},
		{method: "GET", path: "/docs/{file}", page: docsFiles()},
	}
}

// registerRoutes gives the routes to Echo: each with and without a slash at its end, each
// GET for HEAD too, and for every other method the answer 405.
func (s *Server) registerRoutes(e *echo.Echo) {
	allow := map[string][]string{}
	for i := range s.routes {
		rt := &s.routes[i]
		methods := []string{rt.method}
		if rt.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		allow[rt.path] = append(allow[rt.path], methods...)
		for _, path := range bothForms(rt.path) {
			e.Match(methods, path, s.handler(rt))
		}
	}
	for path, methods := range allow {
		slices.Sort(methods)
		for _, form := range bothForms(path) {
			e.RouteNotFound(form, notAllowed(path, strings.Join(methods, ", ")))
		}
	}
}

// bothForms returns the path in Echo's notation, without and with a slash at its end.
func bothForms(path string) []string {
	bare := strings.NewReplacer("{", ":", "}", "").Replace(strings.TrimSuffix(path, "/"))
	return []string{bare, bare + "/"}
}

func (s *Server) handler(rt *route) echo.HandlerFunc {
	return func(c echo.Context) error {
		traceOf(c.Request().Context()).route = rt
		if rt.page != nil {
			return rt.page(c.Response(), c.Request())
		}
		a, err := s.serve(rt, c.Response(), c.Request(), c.Param)
		if err != nil {
			return err
		}
		return a.send(c.Response())
	}
}
