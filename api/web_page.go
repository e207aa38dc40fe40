package api

import (
	"net/http"

	"trainbooking.dev/booking"
)

// WebPage is the page for browsers. It uses the API.
type WebPage struct {
	// Paths are its paths as OpenAPI writes them, or with a * for the rest of a path. None may be a path of the
	// API.
	Paths []string
	// Has reports whether there is something at a path that matches one of Paths.
	Has func(path string) bool
	// Handler serves GET and HEAD at the paths that the page has. It sets all headers but X-Request-Id, and may
	// replace Cache-Control, which is no-store otherwise.
	Handler http.Handler
}

// routes returns the routes of the page, none if p is nil.
func (p *WebPage) routes() (routes []route) {
	if p == nil {
		return nil
	}
	for _, path := range p.Paths {
		routes = append(routes, route{method: "GET", path: path, file: p.serve})
	}
	return routes
}

func (p *WebPage) serve(w http.ResponseWriter, r *http.Request) error {
	if !p.Has(r.URL.Path) {
		return booking.NotFound("path")
	}
	p.Handler.ServeHTTP(w, r)
	return nil
}
