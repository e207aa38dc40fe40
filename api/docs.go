package api

import (
	_ "embed"
	"net/http"

	"github.com/swaggest/swgui/v5emb"

	"trainbooking.dev/booking"
)

// The API's page: Swagger UI, whole in the binary, so that no other host is asked.
var (
	//go:embed openapi.yaml
	openAPIDocument []byte
	//go:embed docs/index.html
	docsIndex []byte
	//go:embed docs/start.js
	docsStart []byte
)

// docsPolicy lets the page load its own files and ask this server. Swagger UI puts
// style attributes into its HTML and pictures into its CSS; scripts are files, and no
// inline script runs.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsCache lets a browser keep what changes only with the binary.
const docsCache = "public, max-age=3600"

// page serves a file to a browser.
type page func(http.ResponseWriter, *http.Request) error

func openAPI(w http.ResponseWriter, _ *http.Request) error {
	return sendFile(w, "application/yaml", openAPIDocument)
}

func docsPage(w http.ResponseWriter, _ *http.Request) error {
	return sendFile(w, "text/html; charset=utf-8", docsIndex)
}

func sendFile(w http.ResponseWriter, contentType string, file []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Security-Policy", docsPolicy)
	w.Header().Set("Cache-Control", docsCache)
	_, err := w.Write(file)
	return err
}

// docsFiles serves what the page loads. The page that swgui brings is not used: its
// inline scripts would have to be allowed.
func docsFiles() page {
	files := v5emb.New("", "", "/docs")
	return func(w http.ResponseWriter, r *http.Request) error {
		switch r.URL.Path {
		case "/docs/start.js":
			return sendFile(w, "text/javascript; charset=utf-8", docsStart)
		case "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/favicon-32x32.png":
			w.Header().Set("Cache-Control", docsCache)
			files.ServeHTTP(w, r)
			return nil
		}
		return booking.NotFound("path")
	}
}
