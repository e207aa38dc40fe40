package redis

import (
	"context"

	goredis "github.com/redis/go-redis/v9"
)

// pipeline sends many scripts at once. The first run of a script carries its text and the
// others only its digest. So none fails with NOSCRIPT after Redis has restarted, and none has
// to be sent again out of order.
type pipeline struct {
	goredis.Pipeliner
	loaded map[*goredis.Script]bool // by an earlier run in this pipeline
}

func newPipeline(client *goredis.Client) *pipeline {
	return &pipeline{client.Pipeline(), map[*goredis.Script]bool{}}
}

// add appends a run of a script that does not return nil.
func (p *pipeline) add(ctx context.Context, script *goredis.Script, keys []string, args ...any) *goredis.Cmd {
	if p.loaded[script] {
		return script.EvalSha(ctx, p, keys, args...)
	}
	p.loaded[script] = true
	return script.Eval(ctx, p, keys, args...)
}

// send sends all runs of scripts that return numbers. See exec.
func (p *pipeline) send(ctx context.Context, commands []*goredis.Cmd) (numbers []int64, errs []error, err error) {
	if errs, err = p.exec(ctx, commands); err != nil {
		return nil, nil, err
	}
	numbers = make([]int64, len(commands))
	for i, command := range commands {
		numbers[i], _ = command.Val().(int64)
	}
	return numbers, errs, nil
}

// exec sends all runs and returns the translated error of each, in order. If err is not nil, nothing
// was sent.
func (p *pipeline) exec(ctx context.Context, commands []*goredis.Cmd) (errs []error, err error) {
	_, err = p.Exec(ctx)
	if err != nil && (unsent(err) || refused(commands)) {
		return nil, err
	}
	errs = make([]error, len(commands))
	for i, command := range commands {
		if command.Val() == nil { // after a lost connection, commands with a reply have an error too
			errs[i] = translate(command.Err())
		}
	}
	return errs, nil
}

// refused reports whether Redis refused the connection (no password, too many clients). The
// library then sets neither a value nor an error.
func refused(commands []*goredis.Cmd) bool {
	return len(commands) > 0 && commands[0].Err() == nil && commands[0].Val() == nil
}
