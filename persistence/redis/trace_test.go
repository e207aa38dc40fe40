package redis_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest"
	"trainbooking.dev/persistence/redis"
)

func TestCallsHaveChildSpansWithoutKeys(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	s := openNew(t)
	db, err := redis.Open(t.Context(), "redis://"+s.server.Address, redis.Options{
		Address: here, Timeout: 20 * persistence.LeaseCall, Traces: provider,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	guard := s.adopt(t, booking.NewTrainID())
	require.NoError(t, db.Ping(t.Context()))
	require.Empty(t, spans.GetSpans(), "no caller had a span")

	ctx, root := provider.Tracer("test").Start(t.Context(), "root")
	results, err := db.WriteHolds(ctx, puts(guard, 2))
	require.NoError(t, err)
	require.Equal(t, []error{nil, nil}, results)
	_, err = persistencetest.LoadHolds(ctx, db, guard.Train, time.Now())
	require.NoError(t, err)
	root.End()

	var names []string
	for _, span := range spans.GetSpans() {
		names = append(names, span.Name)
		require.Equal(t, root.SpanContext().TraceID(), span.SpanContext.TraceID(), span.Name)
		for _, a := range span.Attributes {
			require.NotContains(t, a.Value.String(), guard.Train.String(), "%s of %s", a.Key, span.Name)
		}
	}
	require.Equal(t, []string{"redis.pipeline zadd pexpire eval evalsha", "redis.pipeline mget zrangebyscore", "redis.pipeline mget", "root"}, names)
}
