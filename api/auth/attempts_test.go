package auth_test

import (
	"testing"

	"trainbooking.dev/api/auth"
	"trainbooking.dev/booking"
	"trainbooking.dev/persistence/persistencetest"
)

func TestLocalAttempts(t *testing.T) {
	t.Parallel()
	persistencetest.ExerciseAttempts(t, func(*testing.T) []booking.Attempts {
		return []booking.Attempts{auth.NewLocalAttempts()}
	})
}
