package api

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// route is a row of the route table. Routing, roles, body rules and metric labels come
// from it, and a test compares it with openapi.yaml.
type route struct {
	method, path string // the path as OpenAPI writes it
	role         role
	body         bodyRule
	keyed        bool // accepts an Idempotency-Key
	handler      handler
	kept         func(query string) (response, bool) // returns the response to a request without a body, if it is kept
	file         fileHandler                         // instead of handler: a file that is not part of the API
	quiet        bool                                // for probes: not traced
}

// frequent reports whether successful requests are logged at debug level: probes, and what anyone may
// read, of which there are many times as many as sales. The metrics count them.
func (rt *route) frequent() bool { return rt.quiet || rt.method == http.MethodGet && rt.role == anyone }

func (s *Server) routeTable() []route {
	return []route{
		{method: "POST", path: "/user/register/", body: requiredBody, handler: handle(s.register)},
		{method: "POST", path: "/user/login/", body: requiredBody, handler: handle(s.login)},
		{method: "POST", path: "/user/token/refresh/", body: optionalBody, handler: handle(s.refresh)},
		{method: "POST", path: "/user/logout/", role: userOrPage, body: optionalBody, handler: handle(s.logout)},
		{method: "POST", path: "/user/change-password/", role: user, body: requiredBody, handler: handle(s.changePassword)},

		{method: "POST", path: "/train/add-train/", role: trainAdmin, body: requiredBody, keyed: true, handler: handle(s.addTrain)},
		{method: "GET", path: "/train/get-trains/", body: optionalBody, kept: s.keptResponse, handler: handle(s.getTrains)},
		{method: "POST", path: "/train/book-ticket/", role: user, body: requiredBody, handler: handle(s.bookTicket)},
		{method: "POST", path: "/train/confirm-booking/", role: user, body: requiredBody, handler: handle(s.confirmBooking)},
		{method: "POST", path: "/train/release-seat/", role: user, body: requiredBody, handler: handle(s.releaseSeat)},
		{method: "GET", path: "/train/view-bookings/", role: user, handler: handle(s.viewBookings)},

		{method: "GET", path: "/v1/stations", handler: handle(s.suggestStations)},
		{method: "GET", path: "/v1/trains", handler: handle(s.listTrains)},
		{method: "POST", path: "/v1/trains", role: trainAdmin, body: requiredBody, keyed: true, handler: handle(s.createTrain)},
		{method: "GET", path: "/v1/trains/{id}", handler: handle(s.findTrain)},
		{method: "PUT", path: "/v1/trains/{id}", role: trainAdmin, body: requiredBody, handler: handle(s.putTrain)},
		{method: "DELETE", path: "/v1/trains/{id}", role: trainAdmin, handler: handle(s.deleteTrain)},
		{method: "GET", path: "/v1/trains/{id}/bookings", role: admin, handler: handle(s.trainBookings)},
		{method: "GET", path: "/v1/trains/{id}/events", handler: handle(s.watchSeats)},
		{method: "GET", path: "/v1/trains/{id}/seats", handler: handle(s.seatMap)},

		{method: "GET", path: "/v1/schedules", handler: handle(s.listSchedules)},
		{method: "POST", path: "/v1/schedules", role: trainAdmin, body: requiredBody, keyed: true, handler: handle(s.createSchedule)},
		{method: "GET", path: "/v1/schedules/{id}", handler: handle(s.findSchedule)},
		{method: "PUT", path: "/v1/schedules/{id}", role: trainAdmin, body: requiredBody, handler: handle(s.putSchedule)},
		{method: "DELETE", path: "/v1/schedules/{id}", role: trainAdmin, handler: handle(s.deleteSchedule)},
		{method: "GET", path: "/v1/schedules/{id}/departures", handler: handle(s.listDepartures)},

		{method: "GET", path: "/v1/holds", role: user, handler: handle(s.listHolds)},
		{method: "POST", path: "/v1/holds", role: user, body: requiredBody, keyed: true, handler: handle(s.hold)},
		{method: "DELETE", path: "/v1/holds/{hold_id}", role: user, body: optionalBody, handler: handle(s.releaseHold)},
		{method: "POST", path: "/v1/holds/{hold_id}/confirm", role: user, body: optionalBody, handler: handle(s.confirmHold)},
		{method: "POST", path: "/v1/holds/{hold_id}/extend", role: user, handler: handle(s.extendHold)},
		{method: "GET", path: "/v1/bookings", role: user, handler: handle(s.listBookings)},
		{method: "GET", path: "/v1/bookings/{id}", role: user, handler: handle(s.findBooking)},
		{method: "DELETE", path: "/v1/bookings/{id}", role: user, body: optionalBody, handler: handle(s.cancelBooking)},
		{method: "POST", path: "/v1/bookings/{id}/exchange", role: user, body: requiredBody, handler: handle(s.exchangeBooking)},

		{method: "GET", path: "/v1/users", role: admin, handler: handle(s.listUsers)},
		{method: "GET", path: "/v1/users/me", role: user, handler: handle(s.findMe)},
		{method: "GET", path: "/v1/users/{id}", role: admin, handler: handle(s.findUser)},
		{method: "PATCH", path: "/v1/users/{id}", role: admin, body: requiredBody, handler: handle(s.updateUser)},
		{method: "DELETE", path: "/v1/users/{id}", role: admin, handler: handle(s.deleteUser)},
		{method: "GET", path: "/v1/users/{id}/bookings", role: admin, handler: handle(s.userBookings)},

		{method: "GET", path: "/healthz", handler: handle(s.healthz), quiet: true},
		{method: "GET", path: "/readyz", handler: handle(s.readyz), quiet: true},
		{method: "GET", path: "/openapi.yaml", file: serveOpenAPI},
		{method: "GET", path: "/docs", file: serveDocsPage},
		{method: "GET", path: "/docs/{file}", file: docsFiles()},
	}
}

// registerRoutes registers each route with Echo, with and without a trailing slash. A GET
// route serves HEAD too; all other methods of a path get a 405.
func (s *Server) registerRoutes(e *echo.Echo) {
	allow := map[string][]string{}
	for i := range s.routes {
		rt := &s.routes[i]
		methods := []string{rt.method}
		if rt.method == http.MethodGet {
			methods = append(methods, http.MethodHead)
		}
		allow[rt.path] = append(allow[rt.path], methods...)
		for _, path := range withAndWithoutSlash(rt.path) {
			e.Match(methods, path, s.echoHandler(rt))
		}
	}
	for path, methods := range allow {
		slices.Sort(methods)
		for _, variant := range withAndWithoutSlash(path) {
			e.RouteNotFound(variant, methodNotAllowed(path, strings.Join(methods, ", ")))
		}
	}
}

// withAndWithoutSlash returns the path in Echo's notation, with and without a trailing slash.
func withAndWithoutSlash(path string) []string {
	bare := strings.NewReplacer("{", ":", "}", "").Replace(strings.TrimSuffix(path, "/"))
	if strings.HasSuffix(bare, "*") { // the rest of a path, with its slash if it has one
		return []string{bare}
	}
	return []string{bare, bare + "/"}
}

func (s *Server) echoHandler(rt *route) echo.HandlerFunc {
	return func(c echo.Context) error {
		recordOf(c.Request().Context()).route = rt
		if rt.file != nil {
			return rt.file(c.Response(), c.Request())
		}
		r, err := s.serve(rt, c.Response(), c.Request(), c.Param)
		if err != nil {
			return err
		}
		if r.stream != nil {
			return s.writeStream(r, c.Response(), c.Request())
		}
		defer r.release()
		if c.Request().Method != http.MethodHead {
			expectLongResponse(c.Request().Context(), len(r.body))
		}
		return r.write(c.Response())
	}
}
