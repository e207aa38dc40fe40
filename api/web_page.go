package api

import (
	"net/http"

	"trainbooking.dev/booking"
)

// WebPage is the page that browsers show, beside the API that it uses.
type WebPage struct {
	// Paths are its paths as OpenAPI writes them, or with a * for any rest of the path. None may be a path of the
	// API.
	Paths []string
	// Has reports whether there is something at a path that matches one of Paths.
	Has func(path string) bool
	// Handler serves GET and HEAD of what the page has, with all headers but X-Request-Id. It may replace
	// Cache-Control, which is no-store.
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
