package api_test

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"trainbooking.dev/booking"
)

// segments returns how many segments with data a client has received.
func segments(t *testing.T, c net.Conn) (n uint32) {
	t.Helper()
	raw, err := c.(*net.TCPConn).SyscallConn()
	require.NoError(t, err)
	require.NoError(t, raw.Control(func(fd uintptr) {
		info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
		require.NoError(t, err)
		n = info.Data_segs_in
	}))
	return n
}

func TestALongResponseIsSentAtOnce(t *testing.T) {
	t.Parallel()
	s := newTestServer(t)
	c := newRawClient(t, s)
	for _, capacity := range []int{1, 900, 1200, 1800, 10_000} { // from 400 to 60,000 bytes; less and more than net/http collects
		name := fmt.Sprintf("%d seats", capacity)
		id := booking.NewTrainID()
		_, _, err := s.trains.PutTrain(t.Context(), booking.Train{
			ID: id, Name: name, Capacity: capacity, OnSale: true, Stops: []booking.Stop{{Station: "A " + name}, {Station: "B " + name}},
		})
		require.NoError(t, err)
		path := "/train/get-trains/?" + url.Values{"source": {"A " + name}, "destination": {"B " + name}}.Encode()
		for range 2 { // the second response is a kept one
			before := segments(t, c.Conn)
			response, err := c.do(rawRequest("GET", path, "", ""))
			require.NoError(t, err)
			require.Equal(t, uint32(1), segments(t, c.Conn)-before, "%d bytes", len(response))
			require.Contains(t, string(response), id.String())
			require.True(t, bytes.HasSuffix(response, []byte("}]")), "%s", response)
		}
		require.Empty(t, s.do(t, request{method: "HEAD", path: path}).text)
	}
}
