package redis_test

import (
	"testing"

	"go.uber.org/goleak"
)

// TestMain checks that a closed DB leaves no goroutines.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
