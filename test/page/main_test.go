package page_test

import (
	"testing"

	"trainbooking.dev/test/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, processtest.HasRaceDetector()) }
