package operator_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/booking"
	"trainbooking.dev/operator"
	"trainbooking.dev/operator/v1alpha1"
)

// A difference between the two would be put at the service again and again.
func TestWantedTrainIsTheSameAsTheServiceStores(t *testing.T) {
	t.Parallel()
	spec := v1alpha1.TrainSpec{
		Name: " Shatabdi Express", Capacity: 200, TrainID: "6f1b0c3e-3a46-4ad4-9d1f-2f5b3c1d0000",
		SalesOpenAt: "2040-11-01T06:00:00.0000001+05:30",
		Stops:       []v1alpha1.Stop{{Station: "Delhi", DepartsAt: "2040-12-01T06:00:00+05:30"}, {Station: "Mumbai"}},
	}
	want, err := operator.Wanted(&v1alpha1.Train{Spec: spec})
	require.NoError(t, err)
	opens := time.Date(2040, 11, 1, 0, 30, 0, 0, time.UTC)
	require.Equal(t, opens, want.SalesOpenAt)
	stored := want
	stored.SalesOpenAt = time.UnixMicro(opens.UnixMicro())
	require.True(t, want.Same(&stored))
	spec.SalesOpenAt = "1970-01-01T00:00:00Z"
	_, err = operator.Wanted(&v1alpha1.Train{Spec: spec})
	require.Equal(t, booking.CodeInvalidRequest, booking.CodeOf(err))
}
