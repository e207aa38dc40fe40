package api

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"sync"
)

// response is what a handler returns: a status, headers and a JSON document or a stream.
type response struct {
	status int
	header http.Header // without a Content-Type, it is application/json
	body   []byte      // nil: no body
	buffer *[]byte     // has the body, and is reused when it is sent; nil: the body is not reused
	stream stream      // instead of body
}

// stream writes a body, which may take any time, until the context ends. It is called once, after the header
// has been sent. For a HEAD the context has ended before.
type stream func(context.Context, http.ResponseWriter) error

const (
	// maxShortBody is up to which size net/http buffers a body, so that it knows its length.
	maxShortBody = 2048
	// maxBuffer is the largest buffer that is kept.
	maxBuffer = 1 << 20
)

// buffers are for bodies that are long and frequent.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// okBuffered is ok for a body that add appends to an empty buffer.
func okBuffered(add func([]byte) []byte) response {
	buffer := buffers.Get().(*[]byte) //nolint:forcetypeassert // see buffers
	*buffer = add((*buffer)[:0])
	return response{status: http.StatusOK, body: *buffer, buffer: buffer}
}

// release lets the buffer be used for other responses.
func (r response) release() {
	if r.buffer != nil && cap(*r.buffer) <= maxBuffer {
		buffers.Put(r.buffer)
	}
}

func ok(body any) response { return response{status: http.StatusOK, body: encode(body)} }

func created(location string, body any) response {
	r := response{status: http.StatusCreated, body: encode(body)}
	if location != "" {
		r.header = http.Header{"Location": {location}}
	}
	return r
}

func noContent() response { return response{status: http.StatusNoContent} }

// jsonType is the usual Content-Type. It is shared, so it must not be changed.
var jsonType = []string{"application/json"}

// message is the body of a response that only confirms the request.
type message struct {
	Message string `json:"message"`
}

// encode returns the JSON of v, whose type must not contain anything that cannot be encoded.
// It does not escape <, > and &, because nosniff keeps browsers from reading a response as
// HTML.
func encode(v any) []byte {
	var b bytes.Buffer
	encodeTo(&b, v)
	return b.Bytes()
}

func encodeTo(b *bytes.Buffer, v any) {
	encoder := json.NewEncoder(b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("api: cannot encode a response: " + err.Error())
	}
	b.Truncate(b.Len() - len("\n"))
}

// write sends the response.
func (r response) write(w http.ResponseWriter) error {
	header := w.Header()
	maps.Copy(header, r.header)
	if r.body == nil {
		w.WriteHeader(r.status)
		return nil
	}
	if len(header["Content-Type"]) == 0 {
		header["Content-Type"] = jsonType
	}
	if len(r.body) > maxShortBody { // otherwise it would be sent in chunks
		header.Set("Content-Length", strconv.Itoa(len(r.body)))
	}
	w.WriteHeader(r.status)
	_, err := w.Write(r.body)
	return err
}
