package postgres

import (
	"context"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/trace"
)

// operationKey is where the contexts of statements have what they are for.
type operationKey struct{}

// tracer gives each statement, and each wait for a connection, a span below that of its
// caller; calls of nobody, as those for health, have none. A span tells the operation and
// its statement's first word, never parameters, and not the text, of which there is much.
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

// named tells the tracer, if there is one, what the statements are for.
func (db *DB) named(ctx context.Context, operation string) context.Context {
	if !db.traced {
		return ctx
	}
	return context.WithValue(ctx, operationKey{}, operation)
}
