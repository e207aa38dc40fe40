package smoke

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
	"trainbooking.dev/test/traffic"
	"trainbooking.dev/test/traffic/history"
)

const (
	// tokenLife is how long an access token is used. It is shorter than any usual --access-ttl.
	tokenLife   = time.Minute
	maxResponse = 1 << 20 // bytes
)

// account is a user with a random name. It registers and logs in itself, because
// booking.Service, and so package client, has no accounts.
type account struct {
	url                string
	username, password string
	http               http.Client
	client             *traffic.Client // its User is set by register

	mu      sync.Mutex
	token   string
	renewAt time.Time
}

func newAccount(o Options, sender *traffic.Client) *account {
	return &account{
		url: strings.TrimRight(o.URL, "/"), username: "smoke-" + uuid.NewString(), password: rand.Text(),
		http: http.Client{Transport: o.HTTP.Transport, Timeout: client.DefaultTimeout}, client: sender,
	}
}

// register creates the user and logs in. A first attempt whose response was lost may have
// created it.
func (a *account) register(ctx context.Context) error {
	registered := a.client.Send(ctx, history.Operation{Kind: "register"}, func(ctx context.Context, o *history.Operation) error {
		err := a.post(ctx, "/user/register/", map[string]string{
			"username": a.username, "email": a.username + "@example.org", "password": a.password, "password2": a.password,
		}, nil)
		switch code := booking.CodeOf(err); code {
		case booking.CodeAlreadyExists:
			o.Result = history.Done
		case booking.CodeRateLimited: // for up to an hour, so it is not repeated
			o.Result = history.Result(code)
		}
		return err
	})
	if registered.Code == booking.CodeRateLimited {
		return errors.New("register: the service allows no more registrations from this address now: " +
			"wait up to an hour, use fewer --clients, or start the service with a higher --registrations")
	}
	if registered.Result != history.Done {
		return fmt.Errorf("register: %s", registered.Detail)
	}
	token, err := a.bearer(ctx)
	if err == nil {
		a.client.User, err = userOf(token)
	}
	return err
}

// userOf reads the id of the user from an access token.
func userOf(token string) (uuid.UUID, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return uuid.Nil, errors.New("the service issued a token that is not a JWT")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return uuid.Nil, fmt.Errorf("claims of the token: %w", err)
	}
	var claims struct {
		User uuid.UUID `json:"user_id"`
	}
	if err := json.Unmarshal(text, &claims); err != nil {
		return uuid.Nil, fmt.Errorf("claims of the token: %w", err)
	}
	return claims.User, nil
}

// bearer returns an access token. It logs in again after tokenLife.
func (a *account) bearer(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if time.Now().Before(a.renewAt) {
		return a.token, nil
	}
	var login struct{ Token struct{ Access string } }
	loggedIn := a.client.Send(ctx, history.Operation{Kind: "log in"}, func(ctx context.Context, _ *history.Operation) error {
		return a.post(ctx, "/user/login/", map[string]string{"username": a.username, "password": a.password}, &login)
	})
	if loggedIn.Result != history.Done {
		return "", fmt.Errorf("log in: %s", loggedIn.Detail)
	}
	a.token, a.renewAt = login.Token.Access, time.Now().Add(tokenLife)
	return a.token, nil
}

// cancel cancels the oldest bookings of the user, at most limit. 0: all.
func (a *account) cancel(ctx context.Context, limit int) error {
	bookings, listed := a.client.List(ctx, booking.PageRequest{Limit: limit})
	if listed.Result != history.Done {
		return fmt.Errorf("list the bookings: %s", listed.Detail)
	}
	for _, b := range bookings {
		cancelled := a.client.Cancel(ctx, history.Operation{Train: b.Train, Seats: b.Seats, Legs: b.Legs, Booking: b.ID})
		if cancelled.Result != history.Done {
			return fmt.Errorf("cancel booking %s: %s", b.ID, cancelled.Detail)
		}
	}
	return nil
}

// post sends a JSON object and decodes the response into out. An error of the service or the
// connection is a *booking.Error, as in package client.
func (a *account) post(ctx context.Context, path string, body map[string]string, out any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := a.http.Do(request)
	if err != nil {
		return booking.Unavailable(booking.OutcomeUnknown, 0, err)
	}
	defer response.Body.Close()
	text, err = io.ReadAll(io.LimitReader(response.Body, maxResponse))
	if err != nil {
		return booking.Unavailable(booking.OutcomeUnknown, 0, err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return problemOf(response.StatusCode, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// problemOf decodes an error of the API (RFC 9457).
func problemOf(status int, body []byte) error {
	var problem struct {
		Code    booking.Code
		Error   string
		Outcome booking.Outcome
	}
	if err := json.Unmarshal(body, &problem); err != nil || problem.Code == "" {
		return booking.Unavailable(booking.OutcomeUnknown, 0, fmt.Errorf("status %d, not from the API", status))
	}
	return &booking.Error{Code: problem.Code, Message: problem.Error, Outcome: problem.Outcome}
}
