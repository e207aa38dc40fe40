package api_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
	"trainbooking.dev/booking"
)

// spec parses openapi.yaml once.
var spec = sync.OnceValues(func() (*openapi3.T, error) {
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		return nil, err
	}
	return doc, doc.Validate(context.Background(), openapi3.EnableExamplesValidation())
})

func loadSpec(tb testing.TB) *openapi3.T {
	tb.Helper()
	doc, err := spec()
	require.NoError(tb, err)
	return doc
}

// requireDocumented validates a response against openapi.yaml: its status, headers, media
// type and fields. It also validates a request that succeeded.
func requireDocumented(tb testing.TB, server *api.Server, in request, out response) {
	tb.Helper()
	doc := loadSpec(tb)
	path, operation := findOperation(doc, server, in)
	if operation == nil {
		requireUnrouted(tb, doc, out)
		return
	}
	r, err := http.NewRequestWithContext(tb.Context(), in.method, "http://localhost"+in.path, strings.NewReader(in.body))
	require.NoError(tb, err)
	r.Header = in.header.Clone()
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if in.body != "" && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: pathParams(path, in.path),
		Route: &routers.Route{
			Spec: doc, Path: path, PathItem: doc.Paths.Value(path), Method: in.method, Operation: operation,
		},
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
	}
	if out.status < 300 {
		require.NoError(tb, openapi3filter.ValidateRequest(tb.Context(), input), "request to %s", path)
	}
	err = openapi3filter.ValidateResponse(tb.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: out.status, Header: out.header,
		Body: io.NopCloser(strings.NewReader(out.text)), Options: input.Options,
	})
	require.NoError(tb, err, "response of %s %s: %s", in.method, path, out.text)
	if out.status == http.StatusNoContent {
		require.Empty(tb, out.text)
	}
}

// requireUnrouted validates a response to a request that is not an operation: the
// documentation files, 404, 405, and HEAD.
func requireUnrouted(tb testing.TB, doc *openapi3.T, out response) {
	tb.Helper()
	if out.status < 400 || out.text == "" {
		return
	}
	require.Equal(tb, "application/problem+json", out.header.Get("Content-Type"))
	schema := doc.Components.Schemas["Problem"].Value
	require.NoError(tb, schema.VisitJSON(out.json, openapi3.EnableJSONSchema2020()), out.text)
}

// findOperation returns the operation of a request, or nil.
func findOperation(doc *openapi3.T, server *api.Server, in request) (path string, operation *openapi3.Operation) {
	for _, o := range server.Operations() {
		if o.Method == in.method && pathParams(o.Path, in.path) != nil {
			return o.Path, doc.Paths.Value(o.Path).GetOperation(o.Method)
		}
	}
	return "", nil
}

// pathParams matches a path with a template. It returns nil if they do not match.
func pathParams(template, path string) map[string]string {
	path, _, _ = strings.Cut(path, "?")
	want, got := pathParts(template), pathParts(path)
	if len(want) != len(got) {
		return nil
	}
	params := map[string]string{}
	for i := range want {
		switch {
		case strings.HasPrefix(want[i], "{"):
			params[strings.Trim(want[i], "{}")] = got[i]
		case want[i] != got[i]:
			return nil
		}
	}
	return params
}

func pathParts(path string) []string { return strings.Split(strings.TrimSuffix(path, "/"), "/") }

func TestOpenAPIHasTheOperationsOfTheRouteTable(t *testing.T) {
	t.Parallel()
	var served, documented []api.Operation
	for _, o := range newTestServer(t).server.Operations() {
		served = append(served, api.Operation{Method: o.Method, Path: o.Path, Role: documentedRole(o.Role)})
	}
	for path, item := range loadSpec(t).Paths.Map() {
		for method, o := range item.Operations() {
			documented = append(documented, api.Operation{Method: method, Path: path, Role: roleOf(o)})
		}
	}
	require.ElementsMatch(t, documented, served)
}

// documentedRole returns the role that security schemes can express: users and admins
// send the same kind of token.
func documentedRole(role string) string {
	if role == "admin" {
		return "user"
	}
	return role
}

// roleOf returns the role of a documented operation. `security: []` says that it needs no token; without
// security, the document says nothing.
func roleOf(o *openapi3.Operation) string {
	switch {
	case o.Security == nil:
		return "undocumented"
	case len(*o.Security) == 0:
		return "anyone"
	}
	for _, requirement := range *o.Security {
		if _, machines := requirement["service"]; machines {
			return "train-admin"
		}
	}
	return "user"
}

func TestOpenAPIListsEveryCodeOnce(t *testing.T) {
	t.Parallel()
	var documented []booking.Code
	for _, code := range loadSpec(t).Components.Schemas["Code"].Value.Enum {
		documented = append(documented, booking.Code(code.(string)))
	}
	require.ElementsMatch(t, api.Codes(), documented)
}

// The documentation page does not show the parameters of a path that are references.
func TestPathsHaveTheirParametersInTheOperations(t *testing.T) {
	t.Parallel()
	for path, item := range loadSpec(t).Paths.Map() {
		require.Empty(t, item.Parameters, path)
	}
}

// The other tests rely on the validator.
func TestValidatorRejectsUndocumentedFieldsAndValues(t *testing.T) {
	t.Parallel()
	doc := loadSpec(t)
	problem := map[string]any{
		"type": "about:blank", "title": "Conflict", "status": 409.0, "code": "seat_locked",
		"error": "Seat is already locked", "instance": "x",
	}
	schema := doc.Components.Schemas["Problem"].Value
	visit := func(v any) error { return schema.VisitJSON(v, openapi3.EnableJSONSchema2020()) }
	require.NoError(t, visit(problem))
	for name, value := range map[string]any{"code": "seat_eaten", "surprise": 1.0, "seats": []any{0.0}} {
		changed := map[string]any{name: value}
		for k, v := range problem {
			if _, set := changed[k]; !set {
				changed[k] = v
			}
		}
		require.Error(t, visit(changed), name)
	}
	delete(problem, "instance")
	require.Error(t, visit(problem))
}

// Closed schemas make the validator reject undocumented fields.
func TestEveryObjectSchemaIsClosed(t *testing.T) {
	t.Parallel()
	for name, ref := range loadSpec(t).Components.Schemas {
		if ref.Value.Type != nil && slices.Contains(ref.Value.Type.Slice(), "object") {
			require.NotNil(t, ref.Value.AdditionalProperties.Has, name)
			require.False(t, *ref.Value.AdditionalProperties.Has, name)
		}
	}
}
