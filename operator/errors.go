package operator

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"

	"trainbooking.dev/booking"
)

// permanent reports whether the service returns the same error for the same request every
// time, so that a person must change the spec.
func permanent(err error) bool {
	switch booking.CodeOf(err) {
	case booking.CodeInvalidRequest, booking.CodeTooLarge, booking.CodeUnsupportedMedia, booking.CodeAlreadyExists:
		return true
	default:
		return false
	}
}

// describe returns the message of an error of the service for an admin. It leaves out what
// differs between two attempts, such as ports and request ids: a status that changed with
// each attempt would be written, and reported as an event, each time.
func describe(err error) string {
	e, ok := errors.AsType[*booking.Error](err)
	if !ok {
		return err.Error()
	}
	if len(e.Fields) > 0 {
		return e.Message + ": " + describeFields(e.Fields)
	}
	if e.Code == booking.CodeUnauthenticated || e.Code == booking.CodeForbidden {
		return "The service does not accept the operator's token: " + e.Message
	}
	return e.Message + describeCause(e.Cause)
}

func describeCause(cause error) string {
	if e, ok := errors.AsType[*fs.PathError](cause); ok { // the file of the token or of the authorities
		return ": " + e.Error()
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](cause); ok {
		return ": " + e.Err.Error()
	}
	if e, ok := errors.AsType[*net.DNSError](cause); ok {
		return fmt.Sprintf(": lookup %s: %s", e.Name, e.Err)
	}
	if e, ok := errors.AsType[*net.OpError](cause); ok {
		return fmt.Sprintf(": %s: %v", e.Op, e.Err)
	}
	return ""
}

func describeFields(fields map[string]string) string {
	var parts []string
	for field, fieldError := range fields {
		parts = append(parts, inSpec(field)+" "+fieldError)
	}
	slices.Sort(parts)
	return strings.Join(parts, "; ")
}

// inSpec returns the name in a spec of a field of the API: timeZone for time_zone.
func inSpec(field string) string {
	words := strings.Split(field, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:min(1, len(word))]) + word[min(1, len(word)):]
	}
	return strings.Join(words, "")
}

// ranges formats ascending numbers like "3, 5-9". It stops after 40 parts, because the note of
// an event has at most 1,024 bytes, and appends the count of the numbers left out.
func ranges(numbers []int) string {
	const maxParts = 40
	var parts []string
	i := 0
	for i < len(numbers) && len(parts) < maxParts {
		first := i
		for i++; i < len(numbers) && numbers[i] == numbers[i-1]+1; i++ {
		}
		part := fmt.Sprint(numbers[first])
		if i-first > 1 {
			part += fmt.Sprintf("-%d", numbers[i-1])
		}
		parts = append(parts, part)
	}
	text := strings.Join(parts, ", ")
	if i < len(numbers) {
		text += fmt.Sprintf(" and %d more", len(numbers)-i)
	}
	return text
}
