package redis

import (
	"context"

	goredis "github.com/redis/go-redis/v9"
)

// pipeline sends many scripts in one go. The first of each kind carries its text, so
// that Redis knows it for the others, which carry its digest alone: a Redis that was
// restarted does not answer NOSCRIPT to some of them, which would then have to be sent
// again, out of order.
type pipeline struct {
	goredis.Pipeliner
	known map[*goredis.Script]bool
}

func newPipeline(client *goredis.Client) *pipeline {
	return &pipeline{client.Pipeline(), map[*goredis.Script]bool{}}
}

// add appends a run of a script that answers with a number.
func (p *pipeline) add(ctx context.Context, script *goredis.Script, keys []string, args ...any) *goredis.Cmd {
	if p.known[script] {
		return script.EvalSha(ctx, p, keys, args...)
	}
	p.known[script] = true
	return script.Eval(ctx, p, keys, args...)
}

// send sends all and returns the numbers and the translated errors, each in order. With
// an error of its own nothing was sent.
func (p *pipeline) send(ctx context.Context, commands []*goredis.Cmd) (numbers []int64, errs []error, err error) {
	_, err = p.Exec(ctx)
	if err != nil && (unsent(err) || refused(commands)) {
		return nil, nil, err
	}
	numbers, errs = make([]int64, len(commands)), make([]error, len(commands))
	for i, command := range commands {
		answer, answered := command.Val().(int64)
		if !answered { // the library sets the error of a lost connection beside answers too
			errs[i] = translate(command.Err())
		}
		numbers[i] = answer
	}
	return numbers, errs, nil
}

// refused reports whether Redis refused the connection (no password, too many clients): the
// library then leaves the commands without an answer and without an error.
func refused(commands []*goredis.Cmd) bool {
	return len(commands) > 0 && commands[0].Err() == nil && commands[0].Val() == nil
}
