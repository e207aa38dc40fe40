package redis_test

import (
	"testing"

	"go.uber.org/goleak"
)

// What a DB starts ends when it is closed.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
