package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Coverage counts what happened, by name.
type Coverage map[string]int

// Add counts what happened in another run too.
func (c Coverage) Add(other Coverage) {
	for name, n := range other {
		c[name] += n
	}
}

func (c Coverage) String() string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c)) {
		fmt.Fprintf(&text, "%12d  %s\n", c[name], name)
	}
	return text.String()
}
