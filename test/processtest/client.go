package processtest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Password is the password of every user.
const Password = "correct horse battery"

// Response is the response to a request, with those members of its body that tests read.
type Response struct {
	Status int    `json:"-"`
	Body   []byte `json:"-"`

	Code      string    `json:"code"`
	SeatID    string    `json:"seat_id"`
	HoldID    string    `json:"hold_id"`
	BookingID string    `json:"booking_id"`
	ExpiresAt time.Time `json:"expires_at"`
	TrainID   string    `json:"train_id"`
	Access    string    `json:"access"`
	Refresh   string    `json:"refresh"`
	Token     struct{ Access, Refresh string }
	// Of a train.
	Capacity, Available int
}

func (r *Response) String() string { return fmt.Sprintf("%d %s", r.Status, r.Body) }

// Client sends requests as one user, or without a token. It is safe for concurrent use.
type Client struct {
	URL   string // of the server
	Token string

	http *http.Client
}

// NewClient returns a client without a token.
func NewClient(url string) *Client {
	return &Client{URL: url, http: &http.Client{
		Timeout: Timeout,
		// Each goroutine that shares the client keeps a connection.
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
	}}
}

// Send sends a request with a JSON body, or with none if body is nil. The error is that of
// the connection; a response with any status is none.
func (c *Client) Send(method, path string, body any) (*Response, error) {
	var reader io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, c.URL+path, reader)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	r := &Response{Status: response.StatusCode}
	if r.Body, err = io.ReadAll(response.Body); err != nil {
		return nil, err
	}
	_ = json.Unmarshal(r.Body, r) // fails for a list, which has no members
	return r, nil
}

// Must sends a request and requires the status.
func (c *Client) Must(t *testing.T, status int, method, path string, body any) *Response {
	t.Helper()
	r, err := c.Send(method, path, body)
	require.NoError(t, err, "%s %s", method, path)
	require.Equal(t, status, r.Status, "%s %s: %s", method, path, r)
	return r
}

// SignUp registers a user and logs in.
func SignUp(t *testing.T, url, name string) *Client {
	t.Helper()
	NewClient(url).Must(t, http.StatusCreated, "POST", "/user/register/", map[string]any{
		"username": name, "email": name + "@example.org", "password": Password, "password2": Password,
	})
	return LogIn(t, url, name, Password)
}

// LogIn returns a client with the token of a user.
func LogIn(t *testing.T, url, name, password string) *Client {
	t.Helper()
	c := NewClient(url)
	login := map[string]any{"username": name, "password": password}
	c.Token = c.Must(t, http.StatusOK, "POST", "/user/login/", login).Token.Access
	return c
}

// CreateAdmin creates the admin root in the store that the flags name and logs in to the
// server at url, which uses the same store.
func CreateAdmin(t *testing.T, url string, store ...string) *Client {
	t.Helper()
	c := Command(t, append([]string{"createsuperuser", "--username", "root", "--email", "root@example.org", "--password-stdin"}, store...)...)
	c.Stdin = bytes.NewBufferString(Password + "\n")
	created := RunToEnd(t, c)
	require.Zero(t, created.Code, created.Err) // it may print warnings about the store
	require.Equal(t, "root is an admin now.\n", created.Out)
	return LogIn(t, url, "root", Password)
}

// SetPassword gives a user a new password, with the command set-password on the store that the flags
// name.
func SetPassword(t *testing.T, name, password string, store ...string) Result {
	t.Helper()
	c := Command(t, append([]string{"set-password", "--username", name, "--password-stdin"}, store...)...)
	c.Stdin = bytes.NewBufferString(password + "\n")
	return RunToEnd(t, c)
}

// At returns a client of the same user that sends its requests to another server.
func (c *Client) At(url string) *Client {
	moved := *c
	moved.URL = url
	return &moved
}

// Lock requests a hold of one seat.
func (c *Client) Lock(train string, seat int) (*Response, error) {
	return c.Send("POST", "/train/book-ticket/", map[string]any{"train_id": train, "seat_number": seat})
}

// MustLock requests a hold of one seat and requires the status.
func (c *Client) MustLock(t *testing.T, status int, train string, seat int) *Response {
	t.Helper()
	r, err := c.Lock(train, seat)
	require.NoError(t, err)
	require.Equal(t, status, r.Status, "lock seat %d: %s", seat, r)
	return r
}

// MustConfirm books the seat that the client has locked and requires the status.
func (c *Client) MustConfirm(t *testing.T, status int, seatID string) *Response {
	t.Helper()
	return c.Must(t, status, "POST", "/train/confirm-booking/", map[string]any{"seat_id": seatID})
}

// BookedSeats returns the numbers of the seats that the client has booked on any train.
func (c *Client) BookedSeats(t *testing.T) (seats []int) {
	t.Helper()
	var bookings []struct {
		Seat int `json:"seat_number"`
	}
	require.NoError(t, json.Unmarshal(c.Must(t, http.StatusOK, "GET", "/train/view-bookings/", nil).Body, &bookings))
	for _, b := range bookings {
		seats = append(seats, b.Seat)
	}
	return seats
}

// AddTrain adds a train that is on sale and returns its id.
func (c *Client) AddTrain(t *testing.T, capacity int) string {
	t.Helper()
	return c.Must(t, http.StatusOK, "POST", "/train/add-train/", map[string]any{
		"train_name": "Test Express", "source": "Delhi", "destination": "Mumbai", "train_capacity": capacity,
	}).TrainID
}
