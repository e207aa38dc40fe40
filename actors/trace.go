package actors

import "context"

func inject(context.Context) map[string]string { return nil }

func extract(ctx context.Context, _ map[string]string) context.Context { return ctx }
