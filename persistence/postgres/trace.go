package postgres

import (
	"context"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
)

// operationKey is the context key of the operation of a statement.
type operationKey struct{}

// tracer makes a child span of the caller's for each statement and each wait for a connection.
// Calls without a span, such as health checks, get none. A span has the operation and the first
// word of the statement, but no parameters and not the text, which is long.
func tracer(provider trace.TracerProvider) pgx.QueryTracer {
	return otelpgx.NewTracer(
		otelpgx.WithTracerProvider(provider),
		otelpgx.WithMeterProvider(metricnoop.NewMeterProvider()),
		otelpgx.WithDisableSQLStatementInAttributes(),
		otelpgx.WithSpanNameCtxFunc(func(ctx context.Context, text string) string {
			word := otelpgx.SQLOperationName(ctx, text)
			if operation, _ := ctx.Value(operationKey{}).(string); operation != "" {
				return operation + ": " + word
			}
			return word
		}),
	)
}

// named returns a context with the operation for the tracer, if there is one.
func (db *DB) named(ctx context.Context, operation string) context.Context {
	if !db.traced {
		return ctx
	}
	return context.WithValue(ctx, operationKey{}, operation)
}
