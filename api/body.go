package api

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"trainbooking.dev/booking"
)

// maxBody is the maximum size of a request body in bytes. The largest useful body, a
// train with 64 stops of 255 ASCII characters and their times, needs about half of it.
const maxBody = 64 << 10

// smallBody is up to which size a body gets its memory before it arrives: a client that announces a
// large one and sends it slowly must not occupy much.
const smallBody = 2 << 10

// bodyRule is how an endpoint treats the request body.
type bodyRule int

const (
	noBody       bodyRule = iota // a body is refused: it would ask for something that is not done
	optionalBody                 // no body means {}
	requiredBody
)

// readBody returns the body of a request, or nil if it is empty. Errors: too_large;
// unsupported_media_type if the Content-Type is not JSON.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := readAll(w, r)
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &booking.Error{
			Code: booking.CodeTooLarge, Message: fmt.Sprintf("A body has at most %d bytes", maxBody), Cause: err,
		}
	}
	if err != nil {
		return nil, &booking.Error{
			Code: booking.CodeInvalidRequest, Message: "The body could not be read", Cause: err,
			Fields: map[string]string{"body": "ended early or arrived too slowly"},
		}
	}
	if len(body) == 0 {
		return nil, nil
	}
	if !isJSON(r.Header.Values("Content-Type")) {
		return nil, &booking.Error{Code: booking.CodeUnsupportedMedia}
	}
	return body, nil
}

// refuseBody returns invalid_request if the request has a body. It reads at most one byte.
func refuseBody(r *http.Request) error {
	if r.ContentLength == 0 {
		return nil
	}
	if n, _ := io.ReadFull(r.Body, make([]byte, 1)); n == 0 && r.ContentLength < 0 { // of no known length, and empty
		return nil
	}
	return booking.InvalidField("body", "must be empty: this request has no fields in its body")
}

// readAll reads a body of at most maxBody bytes.
func readAll(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if n := r.ContentLength; n >= 0 && n <= smallBody { // net/http reads no more than that
		body := make([]byte, n)
		_, err := io.ReadFull(r.Body, body)
		return body, err
	}
	return io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
}

// isJSON accepts exactly one Content-Type, application/json. If it has a charset, that
// must be UTF-8, the only one that RFC 8259 allows.
func isJSON(contentTypes []string) bool {
	if len(contentTypes) != 1 {
		return false
	}
	if contentTypes[0] == jsonType[0] {
		return true
	}
	media, parameters, err := mime.ParseMediaType(contentTypes[0])
	charset, named := parameters["charset"]
	return err == nil && media == jsonType[0] && (!named || strings.EqualFold(charset, "utf-8"))
}
