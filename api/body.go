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

// maxBody is the largest body, in bytes. The largest sensible one, a train with 64
// stops of 255 characters with their times, has about half of it in ASCII.
const maxBody = 64 << 10

// bodyRule says what an endpoint does with a body.
type bodyRule int

const (
	noBody       bodyRule = iota // not read: a body is ignored, whatever it is
	optionalBody                 // none is as good as {}
	requiredBody
)

// readBody returns the body of a request, nil when there is none. Errors: too_large;
// unsupported_media_type for a body that does not say that it is JSON.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &booking.Error{
			Code: booking.CodeTooLarge, Message: fmt.Sprintf("A body has at most %d bytes", maxBody), Cause: err,
		}
	}
	if err != nil {
		return nil, &booking.Error{
			Code: booking.CodeInvalidRequest, Message: "The body could not be read", Cause: err,
			Fields: map[string]string{"body": "ended early or came too slowly"},
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

// isJSON accepts one application/json, in UTF-8 if it names a charset (RFC 8259 knows
// no other).
func isJSON(contentTypes []string) bool {
	if len(contentTypes) != 1 {
		return false
	}
	media, parameters, err := mime.ParseMediaType(contentTypes[0])
	charset, named := parameters["charset"]
	return err == nil && media == "application/json" && (!named || strings.EqualFold(charset, "utf-8"))
}
