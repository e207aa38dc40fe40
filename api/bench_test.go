package api_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/api"
)

// BenchmarkDecode parses and decodes the body of a hold.
func BenchmarkDecode(b *testing.B) {
	body := []byte(`{"train_id":"10d37399-0000-4000-8000-4d2a8c5b0000","seats":[5,6],"from":"Delhi","to":"Mumbai"}`)
	b.ReportAllocs()
	for b.Loop() {
		require.NoError(b, api.DecodeHold(body))
	}
}
