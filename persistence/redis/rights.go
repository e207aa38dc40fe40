package redis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	goredis "github.com/redis/go-redis/v9"
)

const channelRight = "&{members}*"

// probes has the commands that this package uses, in scripts and outside, by the keys that they need,
// each in a form that changes nothing if the key does not exist. Redis checks the permissions of a
// user before anything else.
var probes = map[string][]string{
	"~{t:*": {
		"GET {t:probe}", "MGET {t:probe}", "SET {t:probe} 0 XX", "DEL {t:probe}", "GETDEL {t:probe}", "PTTL {t:probe}",
		"PEXPIRE {t:probe} 1", "ZADD {t:probe} XX 0 0", "ZREM {t:probe} 0", "ZSCORE {t:probe} 0", "ZRANGE {t:probe} 0 0",
		"ZRANGEBYSCORE {t:probe} 0 0", "ZREMRANGEBYSCORE {t:probe} 0 0",
	},
	"~{h:*": {"ZADD {h:probe} XX 0 0", "PEXPIRE {h:probe} 1", "ZREMRANGEBYSCORE {h:probe} 0 0", "ZRANGEBYLEX {h:probe} - -"},
	"~{a:*": {
		"PTTL {a:probe}", "DEL {a:probe}", "PEXPIRE {a:probe} 1", "ZADD {a:probe} XX 0 0", "ZREM {a:probe} 0", "ZCARD {a:probe}",
		"ZCOUNT {a:probe} 0 0", "ZRANGE {a:probe} 0 0", "ZREMRANGEBYSCORE {a:probe} 0 0",
	},
	"~{members}*": {
		"DEL {members}:probe", "HMGET {members}:probe 0", "HSET {members}:probe 0 0 wrong-number", "ZADD {members}:probe XX 0 0",
		"ZREM {members}:probe 0", "ZSCORE {members}:probe 0", "ZRANGE {members}:probe 0 0", "ZRANGEBYSCORE {members}:probe 0 0",
		"ZREMRANGEBYSCORE {members}:probe 0 0",
	},
	channelRight: {"PUBLISH " + changesChannel + " 0"},
	"":           {"TIME", "SCAN 0 COUNT 1", "EVAL return 0", "EVALSHA 0 0"},
}

// checkRights returns ErrSettings with the permissions that the user lacks. Without the check, a
// process would join the cluster and then fail.
func (db *DB) checkRights(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, db.options.Timeout)
	defer cancel()
	var mu sync.Mutex
	missing := map[string]bool{}
	err := db.data.each(ctx, func(ctx context.Context, master *goredis.Client) error {
		lacks, err := rightsOf(ctx, master)
		mu.Lock()
		defer mu.Unlock()
		maps.Copy(missing, lacks)
		return err
	})
	if err != nil {
		return err
	}
	subscription := db.reserved.Subscribe(ctx, changesChannel)
	defer subscription.Close() //nolint:errcheck // nothing was written
	_, err = subscription.Receive(ctx)
	switch publishes := !missing[channelRight]; {
	case err == nil && !publishes: // only the command is missing
		delete(missing, channelRight)
		missing["+publish"] = true
	case noPermission(err) && publishes:
		missing["+subscribe"] = true
	case err != nil && !noPermission(err):
		return err
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("%w: the user of the URL lacks permissions: run ACL SETUSER NAME %s (docs/operations.md lists all of them)",
		ErrSettings, strings.Join(slices.Sorted(maps.Keys(missing)), " "))
}

// rightsOf returns the permissions that the user lacks on one server: for keys if none of their
// commands is allowed, otherwise for commands.
func rightsOf(ctx context.Context, master *goredis.Client) (missing map[string]bool, err error) {
	pipe, sent := master.Pipeline(), map[string][]*goredis.Cmd{}
	for keys, commands := range probes {
		for _, text := range commands {
			sent[keys] = append(sent[keys], pipe.Do(ctx, probe(text)...))
		}
	}
	_, _ = pipe.Exec(ctx) // each command has its own error
	missing = map[string]bool{}
	for keys, commands := range sent {
		var refused []string
		for _, c := range commands {
			if err := c.Err(); noPermission(err) {
				refused = append(refused, "+"+strings.ToLower(c.Name()))
			} else if err != nil && !isReply(err) {
				return nil, err
			}
		}
		if keys != "" && len(refused) == len(commands) {
			refused = []string{keys}
		}
		for _, right := range refused {
			missing[right] = true
		}
	}
	return missing, nil
}

// probe returns the words of a command.
func probe(text string) (words []any) {
	if script, ok := strings.CutPrefix(text, "EVAL "); ok {
		return []any{"EVAL", script, 0}
	}
	for word := range strings.FieldsSeq(text) {
		words = append(words, word)
	}
	return words
}

func noPermission(err error) bool { return goredis.HasErrorPrefix(err, "NOPERM ") }
