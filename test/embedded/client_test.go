package embedded_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const password = "correct horse battery"

// reply is the answer to a request; only the members that a test looks at.
type reply struct {
	status int
	body   []byte

	Code      string    `json:"code"`
	SeatID    string    `json:"seat_id"`
	HoldID    string    `json:"hold_id"`
	BookingID string    `json:"booking_id"`
	ExpiresAt time.Time `json:"expires_at"`
	TrainID   string    `json:"train_id"`
	Token     struct{ Access, Refresh string }
	// of a train
	Capacity, Booked, Held, Available int
}

func (r *reply) String() string { return fmt.Sprintf("%d %s", r.status, r.body) }

// client is a person with a token, or without one.
type client struct {
	http  *http.Client
	url   string
	name  string
	token string
}

func newClient(url string) *client {
	return &client{url: url, http: &http.Client{Timeout: patience}}
}

// send sends a request with a JSON body, unless body is nil. The error is the
// connection's.
func (c *client) send(method, path string, body any) (*reply, error) {
	var reader io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, c.url+path, reader)
	if err != nil {
		return nil, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	r := &reply{status: answer.StatusCode}
	if r.body, err = io.ReadAll(answer.Body); err != nil {
		return nil, err
	}
	_ = json.Unmarshal(r.body, r) // a list has no members
	return r, nil
}

// must sends a request that must be answered with status.
func (c *client) must(t *testing.T, status int, method, path string, body any) *reply {
	t.Helper()
	r, err := c.send(method, path, body)
	require.NoError(t, err, "%s %s", method, path)
	require.Equal(t, status, r.status, "%s %s: %s", method, path, r)
	return r
}

type object map[string]any

// signUp registers a user and logs in.
func signUp(t *testing.T, url, name string) *client {
	t.Helper()
	c := newClient(url)
	c.must(t, http.StatusCreated, "POST", "/user/register/", object{
		"username": name, "email": name + "@example.org", "password": password, "password2": password,
	})
	return logIn(t, url, name)
}

func logIn(t *testing.T, url, name string) *client {
	t.Helper()
	c := newClient(url)
	c.name = name
	c.token = c.must(t, http.StatusOK, "POST", "/user/login/", object{"username": name, "password": password}).Token.Access
	return c
}

// at is the same person, asking another server.
func (c *client) at(url string) *client {
	moved := *c
	moved.url = url
	return &moved
}

func (c *client) lock(train string, seat int) (*reply, error) {
	return c.send("POST", "/train/book-ticket/", object{"train_id": train, "seat_number": seat})
}

func (c *client) confirm(seatID string) (*reply, error) {
	return c.send("POST", "/train/confirm-booking/", object{"seat_id": seatID})
}

// bookedSeats returns the numbers of the seats that the client has booked on any train.
func (c *client) bookedSeats(t *testing.T) []int {
	t.Helper()
	var bookings []struct {
		SeatNumber int `json:"seat_number"`
	}
	require.NoError(t, json.Unmarshal(c.must(t, http.StatusOK, "GET", "/train/view-bookings/", nil).body, &bookings))
	var seats []int
	for _, b := range bookings {
		seats = append(seats, b.SeatNumber)
	}
	return seats
}

// createAdmin makes an admin beside the server that works on dir, and logs in.
func createAdmin(t *testing.T, dir, url string) *client {
	t.Helper()
	c := command(t, "createsuperuser", "--data-dir", dir, "--username", "root", "--email", "root@example.org", "--password-stdin")
	c.Stdin = bytes.NewBufferString(password + "\n")
	require.Equal(t, result{out: "root is an admin now.\n"}, runToEnd(t, c))
	return logIn(t, url, "root")
}

// addTrain puts a train of so many seats on sale and returns its id.
func (c *client) addTrain(t *testing.T, capacity int) string {
	t.Helper()
	return c.must(t, http.StatusOK, "POST", "/train/add-train/", object{
		"train_name": "Test Express", "source": "Delhi", "destination": "Mumbai", "train_capacity": capacity,
	}).TrainID
}
