package smoke

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"trainbooking.dev/api/client"
	"trainbooking.dev/booking"
)

const (
	// tokenLife is how long an access token is used, which is less than it lives unless
	// somebody has set very short ones.
	tokenLife = time.Minute
	maxAnswer = 1 << 20 // bytes
)

// account is a user of a random name. Package client does not register or log in, as
// booking.Service has no accounts.
type account struct {
	id                 uuid.UUID // only for package client: the service has its own
	url                string
	username, password string
	http               http.Client
	tally              *tally

	token   string
	renewAt time.Time
}

func newAccount(url string, tally *tally) *account {
	id := uuid.New()
	return &account{
		id: id, url: strings.TrimRight(url, "/"), username: "smoke-" + id.String(), password: rand.Text(),
		http: http.Client{Timeout: client.DefaultTimeout}, tally: tally,
	}
}

// register makes the user and logs in. A first attempt whose answer was lost may have
// made it.
func (a *account) register(ctx context.Context) error {
	_, err := insist(ctx, func() (struct{}, error) {
		return struct{}{}, a.post(ctx, "/user/register/", map[string]string{
			"username": a.username, "email": a.username + "@example.org", "password": a.password, "password2": a.password,
		}, nil)
	})
	if err != nil && booking.CodeOf(err) != booking.CodeAlreadyExists {
		return fmt.Errorf("register: %w", err)
	}
	_, err = insist(ctx, func() (string, error) { return a.bearer(ctx, a.id) })
	return err
}

// bearer returns an access token, a new one each minute. It is for one goroutine.
func (a *account) bearer(ctx context.Context, _ uuid.UUID) (string, error) {
	if time.Now().Before(a.renewAt) {
		return a.token, nil
	}
	var login struct{ Token struct{ Access string } }
	err := a.post(ctx, "/user/login/", map[string]string{"username": a.username, "password": a.password}, &login)
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	a.token, a.renewAt = login.Token.Access, time.Now().Add(tokenLife)
	return a.token, nil
}

// post sends a form and reads the answer into out. The error is a *booking.Error, as
// those of package client are.
func (a *account) post(ctx context.Context, path string, form map[string]string, out any) error {
	err := a.exchange(ctx, path, form, out)
	a.tally.answered(err)
	return err
}

func (a *account) exchange(ctx context.Context, path string, form map[string]string, out any) error {
	text, err := json.Marshal(form)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := a.http.Do(request)
	if err != nil {
		return booking.Unavailable(booking.OutcomeUnknown, 0, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return booking.Unavailable(booking.OutcomeUnknown, 0, err)
	}
	if answer.StatusCode >= http.StatusBadRequest {
		return problemOf(answer.StatusCode, body)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(body, out)
}

// problemOf reads an error of the API (RFC 9457).
func problemOf(status int, body []byte) error {
	var problem struct {
		Code  booking.Code
		Error string
	}
	if err := json.Unmarshal(body, &problem); err != nil || problem.Code == "" {
		return booking.Unavailable(booking.OutcomeUnknown, 0, fmt.Errorf("status %d, which is not the API's", status))
	}
	return &booking.Error{Code: problem.Code, Message: problem.Error}
}
