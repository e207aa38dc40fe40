package postgres_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"trainbooking.dev/booking"
	"trainbooking.dev/persistence"
	"trainbooking.dev/persistence/persistencetest/servers"
	"trainbooking.dev/persistence/postgres"
)

func TestStatementsHaveChildSpansWithoutParameters(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	options := quiet
	options.Traces = provider
	db, err := postgres.Open(t.Context(), servers.Postgres(t), options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	guard := adopt(t, db, booking.NewTrainID())
	require.NoError(t, db.Ping(t.Context()))
	require.Empty(t, spans.GetSpans(), "no caller had a span")

	ctx, root := provider.Tracer("test").Start(t.Context(), "root")
	sale := saleOf(guard, 7)
	results, err := db.Book(ctx, []persistence.Sale{sale})
	require.NoError(t, err)
	require.NoError(t, results[0])
	require.NoError(t, db.CreateUser(ctx, booking.User{
		ID: uuid.New(), Username: "asha", Email: "asha@example.org", PasswordHash: "h", CreatedAt: now(),
	}))
	named := booking.Train{ID: booking.NewTrainID(), Name: "asha"}
	require.NoError(t, db.CreateTrain(ctx, named), "two statements that are sent together")
	root.End()

	names := map[string]bool{}
	for _, span := range spans.GetSpans() {
		names[span.Name] = true
		require.Equal(t, root.SpanContext().TraceID(), span.SpanContext.TraceID(), span.Name)
		for _, a := range span.Attributes {
			value := a.Value.String()
			for _, secret := range []string{"asha", guard.Train.String(), named.ID.String(), sale.Booking.User.String()} {
				require.NotContains(t, value, secret, "%s of %s", a.Key, span.Name)
			}
		}
	}
	for _, name := range []string{"book: WITH", "create user: INSERT", "create train: WITH", "pool.acquire"} {
		require.Contains(t, names, name)
	}
}
