// Package growth shows how figures grow with a railway: with the number of its trains, of their seats,
// of their legs. A figure that grows faster than its work is a defect.
package growth

import (
	"fmt"
	"strconv"
	"strings"
)

// tolerance is by how much a figure may grow faster than its work: runs of the same differ by as much.
const tolerance = 1.35

// Axis is one way in which a railway grows, and the figures that were measured at each of its sizes.
type Axis struct {
	Name    string // "trains"
	Unit    string // of the figures
	Sizes   []int  // ascending
	Figures []Figure
}

// Figure has a value for each size.
type Figure struct {
	Name   string
	Values []float64
	// Work is what is to be done at each size, in any unit.
	Work []float64
}

// Add adds the value of the next size.
func (f *Figure) Add(value, work float64) {
	f.Values, f.Work = append(f.Values, value), append(f.Work, work)
}

// grown returns by what a figure and its work have grown from the size i to the size j.
func (f *Figure) grown(i, j int) (value, work float64) {
	return f.Values[j] / f.Values[i], f.Work[j] / f.Work[i]
}

// defect returns the sizes between which a figure grows the most beyond its work, if that is more than
// the tolerance.
func (f *Figure) defect() (from, to int, found bool) {
	worst := tolerance
	for j := range f.Values {
		for i := range j {
			if value, work := f.grown(i, j); value/work > worst {
				worst, from, to, found = value/work, i, j, true
			}
		}
	}
	return from, to, found
}

// Table returns a table in Markdown of the axes.
func Table(axes []Axis) string {
	var b strings.Builder
	for _, a := range axes {
		fmt.Fprintf(&b, "| %s | %s | grows by | its work by | |\n", a.Name, join(a.Sizes, thousands))
		fmt.Fprintf(&b, "| --- |%s ---: | ---: | --- |\n", strings.Repeat(" ---: |", len(a.Sizes)))
		for i := range a.Figures {
			f := &a.Figures[i]
			value, work := f.grown(0, len(f.Values)-1)
			verdict := ""
			if from, to, found := f.defect(); found {
				verdict = fmt.Sprintf("**a defect**: faster than its work from %s to %s", thousands(a.Sizes[from]), thousands(a.Sizes[to]))
			}
			fmt.Fprintf(&b, "| %s, %s | %s | %s | %s | %s |\n", f.Name, a.Unit, join(f.Values, short), short(value), short(work), verdict)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Defects returns a line for each figure that grows faster than its work.
func Defects(axes []Axis) (lines []string) {
	for _, a := range axes {
		for i := range a.Figures {
			f := &a.Figures[i]
			if from, to, found := f.defect(); found {
				value, work := f.grown(from, to)
				lines = append(lines, fmt.Sprintf("A DEFECT: %s grows faster than its work: from %s to %s %s by %s, its work by %s",
					f.Name, thousands(a.Sizes[from]), thousands(a.Sizes[to]), a.Name, short(value), short(work)))
			}
		}
	}
	return lines
}

func join[T any](values []T, text func(T) string) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = text(v)
	}
	return strings.Join(texts, " | ")
}

// thousands returns a number with commas.
func thousands(n int) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// short returns a number with three digits, or all of those before the point.
func short(v float64) string {
	switch {
	case v >= 100:
		return thousands(int(v + 0.5))
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}
