package redis

import (
	"context"
	"slices"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

// pipeline sends many commands at once, to each shard those of its keys. The commands of a train
// are executed in their order.
type pipeline struct {
	shards shards
	parts  map[*goredis.Client]*part
	routes map[string]*part // by hash tag, so that a tag has one part even if it moves; "" if there is one master
}

// part is what is sent to one shard. The first run of a script carries its text and the others
// only its digest. So none fails with NOSCRIPT after Redis has restarted, and none has to be sent
// again out of order.
type part struct {
	goredis.Pipeliner
	loaded map[*goredis.Script]bool // by an earlier run
	err    error                    // the shard is not known
}

func (s shards) pipeline() *pipeline {
	return &pipeline{s, map[*goredis.Client]*part{}, map[string]*part{}}
}

// on returns the part to which the commands on a key belong.
func (p *pipeline) on(ctx context.Context, key string) *part {
	tag := ""
	if p.shards.cluster() != nil {
		tag, _, _ = strings.Cut(key, "}")
	}
	if known := p.routes[tag]; known != nil {
		return known
	}
	master, err := p.shards.master(ctx, key)
	to := p.parts[master]
	if to == nil {
		to = &part{p.shards.Pipeline(), map[*goredis.Script]bool{}, err}
		if err == nil {
			to.Pipeliner = master.Pipeline()
		}
		p.parts[master] = to
	}
	p.routes[tag] = to
	return to
}

// run adds a run of a script that does not return nil.
func (p *pipeline) run(ctx context.Context, script *goredis.Script, keys []string, args ...any) *goredis.Cmd {
	to := p.on(ctx, keys[0])
	if to.loaded[script] {
		return script.EvalSha(ctx, to, keys, args...)
	}
	to.loaded[script] = true
	return script.Eval(ctx, to, keys, args...)
}

// send sends all commands. Each has its own error.
func (p *pipeline) send(ctx context.Context) {
	var parts sync.WaitGroup
	for _, part := range p.parts {
		send := func() { p.shards.failed(ctx, part.send(ctx)) }
		if len(p.parts) > 1 {
			parts.Go(send)
		} else {
			send()
		}
	}
	parts.Wait()
}

func (p *part) send(ctx context.Context) error {
	commands, err := p.Cmds(), p.err
	if err == nil {
		_, err = p.Exec(ctx)
	}
	failed := func(c goredis.Cmder) bool { return c.Err() != nil }
	if err != nil && !slices.ContainsFunc(commands, failed) {
		// The shard is not known, or refused the connection (no password, too many clients).
		for _, command := range commands {
			command.SetErr(unsentError{err})
		}
	}
	return err
}

// numbers returns the results of scripts that return numbers, and their failures, in order.
func numbers(commands []*goredis.Cmd) (numbers []int64, errs []error) {
	numbers = make([]int64, len(commands))
	for i, command := range commands {
		numbers[i], _ = command.Val().(int64)
	}
	return numbers, failures(commands)
}

// failures returns the translated errors of scripts, in order.
func failures(commands []*goredis.Cmd) []error {
	errs := make([]error, len(commands))
	for i, command := range commands {
		if command.Val() == nil { // after a lost connection, commands with a reply have an error too
			errs[i] = translate(command.Err())
		}
	}
	return errs
}
