package web

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Paths are the paths that a Page serves, as OpenAPI writes them, with * for the rest of a path.
var Paths = []string{
	"/", "/search", "/trains/{id}", "/holds", "/bookings", "/bookings/{id}",
	"/account", "/login", "/register",
	"/admin/trains", "/admin/trains/new", "/admin/trains/{id}",
	"/admin/schedules", "/admin/schedules/new", "/admin/schedules/{id}",
	"/admin/users", "/admin/users/{id}",
	prefix + "*",
}

// Page serves index.html on every path but those of the files that it loads. It is safe for
// concurrent use.
type Page struct {
	index  *file
	files  map[string]*file // by the path of their URL
	policy string
}

// New returns the page that is in the binary.
func New() *Page {
	assets := readAssets()
	index, script := buildIndex(assets)
	p := &Page{index: index, files: map[string]*file{}, policy: policyWith(script)}
	for _, a := range assets {
		p.files[a.url] = a.file
	}
	return p
}

// ServeHTTP serves GET and HEAD, with If-None-Match and, where the client accepts it, gzip. A file that
// does not exist is 404.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	f, policy, cache := p.index, p.policy, "no-cache"
	if strings.HasPrefix(r.URL.Path, prefix) {
		f, policy, cache = p.files[r.URL.Path], "default-src 'none'", "public, max-age=31536000, immutable"
	}
	if f == nil {
		http.NotFound(w, r)
		return
	}
	if f == p.index {
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Referrer-Policy", "no-referrer")
	}
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", cache)
	f.serve(w, r)
}

// Has reports whether the page has something at the path. It has no files of other versions.
func (p *Page) Has(path string) bool {
	return !strings.HasPrefix(path, prefix) || p.files[path] != nil
}

// policyWith allows the page its own files, the inline script with this hash, and requests to this
// server. With Trusted Types only lit-html can write HTML, and it writes only literals in modules.
func policyWith(scriptHash string) string {
	return "default-src 'none'; script-src 'self' '" + scriptHash + "'; style-src 'self'; img-src 'self'; " +
		"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types lit-html"
}

// file is a file that the page serves.
type file struct {
	contentType string
	hash        string // of content, in hexadecimal
	content     []byte
	compressed  func() []byte
}

func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	h, content, tag := w.Header(), f.content, f.hash
	h.Add("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		content, tag = f.compressed(), f.hash+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Type", f.contentType)
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// acceptsGzip reports whether a client accepts gzip (RFC 9110, 12.5.3).
func acceptsGzip(accepted []string) bool {
	return slices.ContainsFunc(strings.Split(strings.Join(accepted, ","), ","), func(coding string) bool {
		name, parameters, _ := strings.Cut(coding, ";")
		weight, given := strings.CutPrefix(strings.ReplaceAll(parameters, " ", ""), "q=")
		q, err := strconv.ParseFloat(weight, 64)
		return strings.EqualFold(strings.TrimSpace(name), "gzip") && (!given || err == nil && q > 0)
	})
}
