package auth

import (
	"fmt"
	"log/slog"
	"net/mail"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"trainbooking.dev/booking"
)

// The limits of API.md part 3, in characters.
const (
	MaxUsername = 150
	MinEmail    = 3
	MaxEmail    = 254
	MinPassword = 8
	MaxPassword = 128
)

// Registration is the request for a new account. It prints and logs only its username.
type Registration struct {
	Username  string
	Email     string
	Password  string
	Password2 string // the password again
}

// Format prints the Registration without its passwords, for every verb.
func (r Registration) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "registration of %q", r.Username)
}

// LogValue returns the Registration without its passwords.
func (r Registration) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(r)) }

// clean returns the normalized Registration, or an invalid_request error with every
// invalid field.
func (r Registration) clean() (Registration, error) {
	fields := fieldErrors{}
	var message string
	r.Username, message = booking.CleanName(r.Username, 1, MaxUsername)
	fields.add("username", message)
	r.Email, message = cleanEmail(r.Email)
	fields.add("email", message)
	fields.checkPasswords(r.Password, r.Password2)
	return r, booking.Invalid(fields)
}

// cleanEmail accepts a bare address, which net/mail parses and formats unchanged: without
// display name, angle brackets, comment or quotes. It does not verify that the address
// exists.
func cleanEmail(s string) (clean, message string) {
	clean, message = booking.CleanName(s, MinEmail, MaxEmail)
	if message != "" {
		return "", message
	}
	address, err := mail.ParseAddress(clean)
	if err != nil || address.Address != clean {
		return "", "must be an email address, such as asha@example.org"
	}
	return clean, ""
}

// fieldErrors has a message for each invalid field.
type fieldErrors map[string]string

func (f fieldErrors) add(field, message string) {
	if message != "" {
		f[field] = message
	}
}

// required adds an error for an empty field.
func (f fieldErrors) required(field, value string) {
	if value == "" {
		f[field] = "must not be empty"
	}
}

// checkPasswords checks the fields password and password2. A password may contain any
// character, including control characters and spaces at its ends.
func (f fieldErrors) checkPasswords(password, password2 string) {
	switch n := utf8.RuneCountInString(normalize(password)); {
	case !utf8.ValidString(password):
		f["password"] = "must be valid UTF-8"
	case n < MinPassword || n > MaxPassword:
		f["password"] = fmt.Sprintf("must have %d to %d characters", MinPassword, MaxPassword)
	}
	if normalize(password) != normalize(password2) {
		f["password2"] = "must be the same as password"
	}
}

// normalize returns the password in Unicode NFC: two keyboards may produce different code
// points for the same letters.
func normalize(password string) string { return norm.NFC.String(password) }
