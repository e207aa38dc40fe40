package redis

import (
	"context"
	"errors"
	"net"

	goredis "github.com/redis/go-redis/v9"
)

// shards are the masters that together store all keys: one, or those of a Redis Cluster. Each
// call goes to the client of one master. The client of the cluster itself would send a call again
// after a lost reply, and does not keep the order of the commands that it redirects; it is only
// used to find the masters.
type shards struct{ goredis.UniversalClient }

func openShards(o *goredis.UniversalOptions, from *source, poolSize int) shards {
	options := *o
	options.PoolSize = poolSize
	rotates := from.reread != nil && o.MasterName != ""
	if rotates {
		options.OnConnect, options.ClientName = from.authenticate, "" // a name cannot be set before
	}
	s := shards{goredis.NewUniversalClient(&options)}
	if rotates { // OnConnect is for the connections to Sentinels only, of which go-redis has copied it by now
		ofData := s.UniversalClient.(*goredis.Client).Options()
		ofData.OnConnect, ofData.ClientName = nil, o.ClientName
	}
	if cluster := s.cluster(); cluster != nil {
		cluster.OnNewNode(func(node *goredis.Client) { node.AddHook(dialHook{}) })
	} else {
		s.AddHook(dialHook{})
	}
	return s
}

// cluster returns nil if there is one master.
func (s shards) cluster() *goredis.ClusterClient {
	cluster, _ := s.UniversalClient.(*goredis.ClusterClient)
	return cluster
}

// master returns the client of the master that stores a key.
func (s shards) master(ctx context.Context, key string) (*goredis.Client, error) {
	cluster := s.cluster()
	if cluster == nil {
		return s.UniversalClient.(*goredis.Client), nil
	}
	master, err := cluster.MasterForKey(ctx, key)
	if err != nil {
		s.failed(ctx, err)
		return nil, unsentError{err}
	}
	return master, nil
}

// each calls f for each master, concurrently, and returns the first error.
func (s shards) each(ctx context.Context, f func(ctx context.Context, master *goredis.Client) error) error {
	if cluster := s.cluster(); cluster != nil {
		return cluster.ForEachMaster(ctx, f)
	}
	return f(ctx, s.UniversalClient.(*goredis.Client))
}

// run runs a script on the master of its keys.
func (s shards) run(ctx context.Context, script *goredis.Script, keys []string, args ...any) *goredis.Cmd {
	master, err := s.master(ctx, keys[0])
	if err != nil {
		command := goredis.NewCmd(ctx)
		command.SetErr(err)
		return command
	}
	command := script.Run(ctx, master, keys, args...)
	s.failed(ctx, command.Err())
	return command
}

// failed finds the masters anew after an error, which may mean that a key has moved to another
// one. A command that was refused for that reason was not executed.
func (s shards) failed(ctx context.Context, err error) {
	if cluster := s.cluster(); cluster != nil && err != nil && !errors.Is(err, goredis.Nil) {
		cluster.ReloadState(ctx) // in the background, and not more often than every 0.2 s
	}
}

// unsentError is the error of commands that were not sent.
type unsentError struct{ error }

func (e unsentError) Unwrap() error { return e.error }

// dialHook makes every failure to connect an unsentError: finding the master and TLS, too.
type dialHook struct{}

func (dialHook) DialHook(next goredis.DialHook) goredis.DialHook {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := next(ctx, network, address)
		if err != nil {
			return nil, unsentError{err}
		}
		return c, nil
	}
}

func (dialHook) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook { return next }

func (dialHook) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return next
}
