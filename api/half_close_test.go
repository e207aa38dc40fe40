package api_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const ashaRegisters = `{"username":"asha","email":"asha@example.org","password":"correct horse","password2":"correct horse"}`

func TestClientThatClosesItsSendingSideGetsItsResponse(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	require.Equal(t, 201, sendAndHalfClose(t, s, ashaRegisters, len(ashaRegisters)))
	require.Equal(t, 409, sendAndHalfClose(t, s, ashaRegisters, len(ashaRegisters)), "the first request was executed")
}

func TestTruncatedBodyIsInvalid(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	require.Equal(t, 400, sendAndHalfClose(t, s, ashaRegisters[:50], len(ashaRegisters)))
}

func TestRoleOfAClientThatClosesItsSendingSideIsChecked(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	token := s.user(t, "asha")
	for range 50 {
		require.Equal(t, 403, halfClose(t, s, "GET /v1/users HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer "+token+"\r\n\r\n"))
	}
}

// sendAndHalfClose registers with this Content-Length and body, closes the sending side
// and returns the status of the response.
func sendAndHalfClose(t *testing.T, s *testServer, body string, length int) int {
	t.Helper()
	return halfClose(t, s, fmt.Sprintf("POST /user/register/ HTTP/1.1\r\nHost: test\r\n"+
		"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", length, body))
}

func halfClose(t *testing.T, s *testServer, request string) int {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close()) }()
	_, err = conn.Write([]byte(request))
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}
