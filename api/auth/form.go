package auth

import (
	"fmt"
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

// clean returns the form as it is stored, or an invalid_request error that names
// every field at fault.
func (r Registration) clean() (Registration, error) {
	fields := faults{}
	var sentence string
	r.Username, sentence = booking.CleanText(r.Username, 1, MaxUsername)
	fields.add("username", sentence)
	r.Email, sentence = cleanEmail(r.Email)
	fields.add("email", sentence)
	fields.newPassword(r.Password, r.Password2)
	return r, booking.Invalid(fields)
}

// cleanEmail accepts a bare address: what net/mail reads as an address and writes
// back unchanged, so no display name, no angle brackets, no comment, no quoted part.
// Whether it is somebody's is not known until a mail is sent.
func cleanEmail(s string) (clean, sentence string) {
	clean, sentence = booking.CleanText(s, MinEmail, MaxEmail)
	if sentence != "" {
		return "", sentence
	}
	address, err := mail.ParseAddress(clean)
	if err != nil || address.Address != clean {
		return "", "must be an email address, such as asha@example.org"
	}
	return clean, ""
}

// faults collects a sentence for each field at fault.
type faults map[string]string

func (f faults) add(field, sentence string) {
	if sentence != "" {
		f[field] = sentence
	}
}

// required asks for a field that may be wrong but not empty.
func (f faults) required(field, value string) {
	if value == "" {
		f[field] = "must not be empty"
	}
}

// newPassword checks a password typed twice, as the fields password and password2. A
// password may hold any character, spaces at its ends and control characters too:
// nothing about it is changed but its normal form (see normal).
func (f faults) newPassword(password, again string) {
	switch n := utf8.RuneCountInString(normal(password)); {
	case !utf8.ValidString(password):
		f["password"] = "must be valid UTF-8"
	case n < MinPassword || n > MaxPassword:
		f["password"] = fmt.Sprintf("must have %d to %d characters", MinPassword, MaxPassword)
	}
	if normal(password) != normal(again) {
		f["password2"] = "must be the same as password"
	}
}

// normal brings a password to Unicode NFC: the same letters typed on two keyboards
// may arrive as different code points, and must be the same password.
func normal(password string) string { return norm.NFC.String(password) }
