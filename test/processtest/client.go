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

// Password is everyone's.
const Password = "correct horse battery"

// Object is a JSON object to send.
type Object map[string]any

// Reply is the answer to a request; of its body only the members that a test looks at.
type Reply struct {
	Status int    `json:"-"`
	Body   []byte `json:"-"`

	Code      string    `json:"code"`
	Outcome   string    `json:"outcome"`
	SeatID    string    `json:"seat_id"`
	HoldID    string    `json:"hold_id"`
	BookingID string    `json:"booking_id"`
	ExpiresAt time.Time `json:"expires_at"`
	TrainID   string    `json:"train_id"`
	Token     struct{ Access, Refresh string }
	// of a train
	Name                              string
	Capacity, Booked, Held, Available int
}

func (r *Reply) String() string { return fmt.Sprintf("%d %s", r.Status, r.Body) }

// Client is a person with a token, or without one. Safe for concurrent use.
type Client struct {
	URL   string // of the server it asks
	Name  string
	Token string

	http *http.Client
}

// NewClient returns a client without a token.
func NewClient(url string) *Client {
	return &Client{URL: url, http: &http.Client{
		Timeout: Timeout,
		// Each of those who share a client keeps a connection.
		Transport: &http.Transport{MaxIdleConnsPerHost: 100},
	}}
}

// Send sends a request with a JSON body, unless body is nil. The error is the
// connection's.
func (c *Client) Send(method, path string, body any) (*Reply, error) {
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
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	r := &Reply{Status: answer.StatusCode}
	if r.Body, err = io.ReadAll(answer.Body); err != nil {
		return nil, err
	}
	_ = json.Unmarshal(r.Body, r) // a list has no members
	return r, nil
}

// Must sends a request that must be answered with status.
func (c *Client) Must(t *testing.T, status int, method, path string, body any) *Reply {
	t.Helper()
	r, err := c.Send(method, path, body)
	require.NoError(t, err, "%s %s", method, path)
	require.Equal(t, status, r.Status, "%s %s: %s", method, path, r)
	return r
}

// SignUp registers a user and logs in.
func SignUp(t *testing.T, url, name string) *Client {
	t.Helper()
	NewClient(url).Must(t, http.StatusCreated, "POST", "/user/register/", Object{
		"username": name, "email": name + "@example.org", "password": Password, "password2": Password,
	})
	return LogIn(t, url, name, Password)
}

// LogIn returns a client with the token of a user.
func LogIn(t *testing.T, url, name, password string) *Client {
	t.Helper()
	c := NewClient(url)
	c.Name = name
	c.Token = c.Must(t, http.StatusOK, "POST", "/user/login/", Object{"username": name, "password": password}).Token.Access
	return c
}

// CreateAdmin makes an admin in the store that the flags name, beside the server at url,
// and logs in there.
func CreateAdmin(t *testing.T, url string, store ...string) *Client {
	t.Helper()
	c := Command(t, append([]string{"createsuperuser", "--username", "root", "--email", "root@example.org", "--password-stdin"}, store...)...)
	c.Stdin = bytes.NewBufferString(Password + "\n")
	made := RunToEnd(t, c)
	require.Zero(t, made.Code, made.Err) // it may warn of the store
	require.Equal(t, "root is an admin now.\n", made.Out)
	return LogIn(t, url, "root", Password)
}

// At is the same person, asking another server.
func (c *Client) At(url string) *Client {
	moved := *c
	moved.URL = url
	return &moved
}

// Lock asks for a hold of one seat.
func (c *Client) Lock(train string, seat int) (*Reply, error) {
	return c.Send("POST", "/train/book-ticket/", Object{"train_id": train, "seat_number": seat})
}

// Confirm books the seat that the client has locked.
func (c *Client) Confirm(seatID string) (*Reply, error) {
	return c.Send("POST", "/train/confirm-booking/", Object{"seat_id": seatID})
}

// BookedSeat is one seat of a booking, as its user sees it.
type BookedSeat struct {
	Train string `json:"train_id"`
	Seat  int    `json:"seat_number"`
}

// Booked returns the seats that the client has booked, on all trains.
func (c *Client) Booked(t *testing.T) []BookedSeat {
	t.Helper()
	var bookings []BookedSeat
	require.NoError(t, json.Unmarshal(c.Must(t, http.StatusOK, "GET", "/train/view-bookings/", nil).Body, &bookings))
	return bookings
}

// BookedSeats returns the numbers of the seats that the client has booked on any train.
func (c *Client) BookedSeats(t *testing.T) []int {
	t.Helper()
	var seats []int
	for _, b := range c.Booked(t) {
		seats = append(seats, b.Seat)
	}
	return seats
}

// AddTrain puts a train of so many seats on sale and returns its id.
func (c *Client) AddTrain(t *testing.T, capacity int) string {
	t.Helper()
	return c.Must(t, http.StatusOK, "POST", "/train/add-train/", Object{
		"train_name": "Test Express", "source": "Delhi", "destination": "Mumbai", "train_capacity": capacity,
	}).TrainID
}
