package api

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
)

// call is what a handler knows of a request beside its fields.
type call struct {
	caller  auth.Identity // zero where anyone may call
	address string        // the client's IP address
	once    string        // with an Idempotency-Key: the same text for the same request, else ""
}

// action is a handler with its request read into it.
type action func(context.Context, *call) (answer, error)

// endpoint reads a request from its form. What is wrong is left in the form.
type endpoint func(*form) action

// readable is a request type: *T knows how to read itself.
type readable[T any] interface {
	*T
	read(*form)
}

// takes makes an endpoint of a handler and its request type.
func takes[T any, P readable[T]](handle func(context.Context, *call, T) (answer, error)) endpoint {
	return func(f *form) action {
		var in T
		P(&in).read(f)
		return func(ctx context.Context, c *call) (answer, error) { return handle(ctx, c, in) }
	}
}

// serve takes a request to a route through the checks, in the order of API.md 3, to
// its handler. param returns the path's parameters.
func (s *Server) serve(rt *route, w http.ResponseWriter, r *http.Request, param func(string) string) (answer, error) {
	t := traceOf(r.Context())
	var err error
	if t.caller, err = s.admit(r, rt.role); err != nil {
		return answer{}, err
	}
	body, err := rt.readBody(w, r)
	if err != nil {
		return answer{}, err
	}
	act, err := rt.read(r, body, param)
	if err != nil {
		return answer{}, err
	}
	// From here on, as how long a body takes is the client's matter (readTime). net/http
	// takes a client that has closed its sending side for one that has left; its request
	// is whole, and is carried out like any other.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.timeout)
	defer cancel()
	c := &call{caller: t.caller, address: t.address}
	if !rt.keyed {
		return act(ctx, c)
	}
	return s.once(ctx, c, r, body, act)
}

func (rt *route) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if rt.body == noBody {
		return nil, nil
	}
	return readBody(w, r)
}

// read makes the form of the request and lets the endpoint read it. Endpoints with a
// required body take nothing from the query. Under /v1 an unknown query parameter is
// refused; the original endpoints ignore it, as their clients are used to.
func (rt *route) read(r *http.Request, body []byte, param func(string) string) (action, error) {
	strict := strings.HasPrefix(rt.path, "/v1/")
	var fields object
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
		return nil, booking.InvalidField("query", "is not taken here")
	}
	f := newForm(param, query, fields, strict)
	act := rt.endpoint(f)
	return act, f.err()
}
