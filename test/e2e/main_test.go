//go:build e2e

package e2e_test

import (
	"testing"

	"trainbooking.dev/test/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, false) }
