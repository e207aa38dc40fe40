package operator

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"slices"
	"strings"

	"trainbooking.dev/booking"
)

// final reports whether an error of the service ends every attempt with the same request: a
// person must change it.
func final(err error) bool {
	switch booking.CodeOf(err) {
	case booking.CodeInvalidRequest, booking.CodeTooLarge, booking.CodeUnsupportedMedia:
		return true
	default:
		return false
	}
}

// sentence tells what an error of the service means, for an admin. It is the same for the
// same trouble: no port or request number is in it.
func sentence(err error) string {
	e, ok := errors.AsType[*booking.Error](err)
	if !ok {
		return err.Error()
	}
	if len(e.Fields) > 0 {
		return e.Message + ": " + faults(e.Fields)
	}
	if e.Code == booking.CodeUnauthenticated || e.Code == booking.CodeForbidden {
		return "The service does not accept the operator's token: " + e.Message
	}
	return e.Message + trouble(e.Cause)
}

// trouble tells the cause of an error as far as it helps, and nothing that differs from one
// attempt to the next.
func trouble(cause error) string {
	if e, ok := errors.AsType[*fs.PathError](cause); ok { // the token's file
		return ": " + e.Error()
	}
	if e, ok := errors.AsType[*net.DNSError](cause); ok {
		return fmt.Sprintf(": lookup %s: %s", e.Name, e.Err)
	}
	if e, ok := errors.AsType[*net.OpError](cause); ok {
		return fmt.Sprintf(": %s: %v", e.Op, e.Err)
	}
	return ""
}

func faults(fields map[string]string) string {
	var faults []string
	for field, fault := range fields {
		faults = append(faults, field+" "+fault)
	}
	slices.Sort(faults)
	return strings.Join(faults, "; ")
}

// ranges writes ascending numbers as 3, 5-9, and the number of those that would be
// too long to tell.
func ranges(numbers []int) string {
	const longest = 40 // an event's note has 1,024 characters
	var parts []string
	told := 0
	for i := 0; i < len(numbers) && len(parts) < longest; {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		part := fmt.Sprint(numbers[i])
		if j > i {
			part += fmt.Sprintf("-%d", numbers[j])
		}
		parts, told, i = append(parts, part), j+1, j+1
	}
	text := strings.Join(parts, ", ")
	if told < len(numbers) {
		text += fmt.Sprintf(" and %d more", len(numbers)-told)
	}
	return text
}
