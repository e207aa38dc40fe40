package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// call is what a handler gets besides its decoded request.
type call struct {
	caller  auth.Identity // zero where no token is needed, or a cookie takes its place
	address string        // the client's IP address
	cookie  cookie
	seed    string // identifies a request with an Idempotency-Key and its retries; otherwise ""
	query   string // the query string, if the request has no body; otherwise ""
}

// action runs a handler with its decoded request.
type action func(context.Context, *call) (response, error)

// handler decodes a request and returns the action for it. The decoder collects what is
// wrong with the request.
type handler func(*decoder) action

// decodable is a request type that *T can decode.
type decodable[T any] interface {
	*T
	decode(*decoder)
}

// handle makes a handler of a function and its request type.
func handle[T any, P decodable[T]](f func(context.Context, *call, T) (response, error)) handler {
	return func(d *decoder) action {
		var in T
		P(&in).decode(d)
		return func(ctx context.Context, c *call) (response, error) { return f(ctx, c, in) }
	}
}

// serve runs the checks of a route in the order of API.md 3 and then its handler. param
// returns the path parameters.
func (s *Server) serve(rt *route, w http.ResponseWriter, r *http.Request, param func(string) string) (response, error) {
	record := recordOf(r.Context())
	var err error
	if record.caller, err = s.authorize(r, rt.role); err != nil {
		return response{}, err
	}
	var body []byte
	if rt.body == noBody {
		err = refuseBody(r)
	} else {
		body, err = readBody(w, r)
	}
	if err != nil {
		return response{}, err
	}
	query := ""
	if body == nil {
		query = r.URL.RawQuery
	}
	if rt.kept != nil && query != "" {
		if kept, ok := rt.kept(query); ok {
			return kept, nil
		}
	}
	act, err := rt.decode(r, body, param)
	if err != nil {
		return response{}, err
	}
	// The timeout starts here, because the time to receive the body depends on the client
	// (readTimeout). WithoutCancel: net/http cancels the context of a client that closed
	// its sending side, but that request is complete and must be executed.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.timeout)
	defer cancel()
	c := &call{caller: record.caller, address: record.address, cookie: cookie{r, w.Header()}, query: query}
	if !rt.keyed {
		return act(ctx, c)
	}
	return s.idempotent(ctx, c, r, body, act)
}

// decode decodes the request. Endpoints with a required body accept no query. Under /v1 an
// unknown query parameter is an error; the booking endpoints ignore it, because their
// clients rely on that.
func (rt *route) decode(r *http.Request, body []byte, param func(string) string) (action, error) {
	strict := strings.HasPrefix(rt.path, "/v1/")
	var fields jsonObject
	if body != nil || rt.body == requiredBody {
		var err error
		if fields, err = parseObject(body); err != nil {
			return nil, err
		}
	}
	var query url.Values
	if rt.body != requiredBody {
		var err error
		if query, err = url.ParseQuery(r.URL.RawQuery); err != nil {
			return nil, booking.InvalidField("query", "is malformed")
		}
	} else if strict && r.URL.RawQuery != "" {
		return nil, booking.InvalidField("query", "must be empty")
	}
	d := newDecoder(param, query, fields, strict)
	d.header = r.Header
	act := rt.handler(d)
	return act, d.err()
}
