package simulate

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Coverage counts events by name.
type Coverage map[string]int

// Add adds the counts of another run.
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
