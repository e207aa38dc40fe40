// Package check compares what a server has acknowledged with what its users own afterwards.
package check

import (
	"bufio"
	"fmt"
	"io"
)

// Ack is a reply to a client: the lock of a seat or its booking.
type Ack struct {
	Kind string  // lock or book
	User int     // from 1
	Seat string  // its id
	Time float64 // in seconds since 1970
}

// Read reads the lines that the scripts write: "lock 17 0b5e… 1700000000.25".
func Read(r io.Reader) (acks []Ack, err error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		var a Ack
		if n, err := fmt.Sscan(lines.Text(), &a.Kind, &a.User, &a.Seat, &a.Time); err != nil {
			return nil, fmt.Errorf("line %q, field %d: %w", lines.Text(), n+1, err)
		}
		if a.Kind != "lock" && a.Kind != "book" {
			return nil, fmt.Errorf("line %q is neither lock nor book", lines.Text())
		}
		acks = append(acks, a)
	}
	return acks, lines.Err()
}

// Owned is what each user, from 1, has booked: the ids of seats.
type Owned map[int][]string

// Problems returns each contradiction: a seat with two owners, or twice in one's list; an
// acknowledged booking that its user does not have; a seat whose lock two users were given, none of
// which ends while a run lasts. The same user locking a seat twice is one lock.
func Problems(acks []Ack, owned Owned) (problems []string) {
	owner := map[string]int{}
	for user, seats := range owned {
		for _, seat := range seats {
			if other, taken := owner[seat]; taken {
				problems = append(problems, fmt.Sprintf("seat %s has two owners: users %d and %d", seat, other, user))
			}
			owner[seat] = user
		}
	}
	locked := map[string]int{}
	for _, a := range acks {
		if other, taken := locked[a.Seat]; taken && other != a.User {
			problems = append(problems, fmt.Sprintf("seat %s was given to two users: %d and %d", a.Seat, other, a.User))
		}
		locked[a.Seat] = a.User
		if a.Kind == "book" && owner[a.Seat] != a.User {
			problems = append(problems, fmt.Sprintf("seat %s was sold to user %d, and user %d has it (0: nobody)",
				a.Seat, a.User, owner[a.Seat]))
		}
	}
	return problems
}
