package actors

import cmap "github.com/orcaman/concurrent-map"

// The registry of an actor system has 1,024 of these maps, and looks actors up in one of them by a
// hash. 32 shards in each would be 32,768 maps and 3 MB, most of the heap of an idle process. Only
// protoactor uses this package.
func init() { cmap.SHARD_COUNT = 1 }
