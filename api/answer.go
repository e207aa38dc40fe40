package api

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// answer is what a handler wants sent: a status and a JSON document.
type answer struct {
	status int
	header http.Header // Content-Type is application/json unless it says otherwise
	body   []byte      // nil: none
}

func ok(body any) answer { return answer{status: http.StatusOK, body: encode(body)} }

func created(location string, body any) answer {
	a := answer{status: http.StatusCreated, body: encode(body)}
	if location != "" {
		a.header = http.Header{"Location": {location}}
	}
	return a
}

func noContent() answer { return answer{status: http.StatusNoContent} }

// message is the body of the answers that only say that it was done.
type message struct {
	Message string `json:"message"`
}

// encode writes our own types, which cannot fail, as JSON. <, > and & stay as they
// are: nosniff keeps an answer from being read as HTML.
func encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("api: an answer cannot be encoded: " + err.Error())
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// send writes the answer. It is the only place that does.
func (a answer) send(w http.ResponseWriter) error {
	header := w.Header()
	for name, values := range a.header {
		header[name] = values
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return nil
	}
	if header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/json")
	}
	w.WriteHeader(a.status)
	_, err := w.Write(a.body)
	return err
}
