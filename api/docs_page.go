package api

import (
	_ "embed"
	"net/http"

	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"

	"trainbooking.dev/booking"
)

// The documentation page is Swagger UI. All of its files are in the binary, so that the
// page loads nothing from other hosts.
var (
	//go:embed openapi.yaml
	openAPIDocument []byte
	//go:embed docs/index.html
	docsIndex []byte
	//go:embed docs/start.js
	docsStart []byte
)

// docsPolicy lets the page load its own files and send requests to this server. Swagger UI
// needs inline styles and data: images, but no inline script.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// docsCache lets browsers cache the files of the page, which change only with the binary.
const docsCache = "public, max-age=3600"

// fileHandler serves a file to a browser.
type fileHandler func(http.ResponseWriter, *http.Request) error

func serveOpenAPI(w http.ResponseWriter, _ *http.Request) error {
	return writeFile(w, "application/yaml", openAPIDocument)
}

func serveDocsPage(w http.ResponseWriter, _ *http.Request) error {
	return writeFile(w, "text/html; charset=utf-8", docsIndex)
}

func writeFile(w http.ResponseWriter, contentType string, file []byte) error {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Security-Policy", docsPolicy)
	w.Header().Set("Referrer-Policy", "no-referrer")
	w.Header().Set("Cache-Control", docsCache)
	_, err := w.Write(file)
	return err
}

// docsFiles serves the files that the page loads. The page of swgui is not used, because it has
// inline scripts and is an html/template, which would make the program twice as large.
func docsFiles() fileHandler {
	files := http.StripPrefix("/docs", statigz.FileServer(static.FS))
	return func(w http.ResponseWriter, r *http.Request) error {
		switch r.URL.Path {
		case "/docs/start.js":
			return writeFile(w, "text/javascript; charset=utf-8", docsStart)
		case "/docs/swagger-ui.css", "/docs/swagger-ui-bundle.js", "/docs/favicon-32x32.png":
			w.Header().Set("Cache-Control", docsCache)
			files.ServeHTTP(w, r)
			return nil
		}
		return booking.NotFound("path")
	}
}
