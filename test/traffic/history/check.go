package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// Findings are what a check found.
type Findings struct {
	Problems  []string      // the promises that were broken, none if the history is good
	Wrong     []Wrong       // the registers among them
	Registers int           // that were searched
	Took      time.Duration // the searches together
	Longest   time.Duration // the longest of them
}

// Wrong is a register without an order of its operations that explains them.
type Wrong struct {
	// Result is porcupine.Unknown when the search took too long, which fails as well.
	Result porcupine.CheckResult

	at    place
	model porcupine.Model
	info  porcupine.LinearizationInfo
}

func (w Wrong) String() string {
	return fmt.Sprintf("%s: no order of the operations on seat %d, leg %d of train %s explains the responses",
		w.Result, w.at.seat, w.at.leg, w.at.train)
}

// Name is a file name that says which register it is.
func (w Wrong) Name() string {
	return fmt.Sprintf("seat-%d-leg-%d-of-%s.html", w.at.seat, w.at.leg, w.at.train)
}

// Picture writes an HTML page that shows how far the search came.
func (w Wrong) Picture(path string) error { return porcupine.VisualizePath(w.model, w.info, path) }

// Check holds the history against the promises. The search for an order takes at most limit
// for each register.
func (h *History) Check(limit time.Duration) (found Findings) {
	r := newRun(h)
	found.Problems = slices.Concat(h.Violations, r.unexpected(), r.missing(), r.soldTwice(), r.overLimit())
	for at, all := range r.places() {
		register, entries := r.prepare(all)
		model := register.model()
		found.Registers++
		started := time.Now()
		result, info := porcupine.CheckOperationsVerbose(model, operationsOf(entries), limit)
		took := time.Since(started)
		found.Took += took
		found.Longest = max(found.Longest, took)
		if result != porcupine.Ok {
			found.Wrong = append(found.Wrong, Wrong{result, at, model, info})
		}
	}
	slices.SortFunc(found.Wrong, func(a, b Wrong) int { return cmp.Compare(a.Name(), b.Name()) })
	for _, w := range found.Wrong {
		found.Problems = append(found.Problems, w.String())
	}
	return found
}

func operationsOf(entries []entry) []porcupine.Operation {
	operations := make([]porcupine.Operation, len(entries))
	for i, e := range entries {
		operations[i] = porcupine.Operation{ClientId: e.Client, Input: e, Call: int64(e.Call), Return: int64(e.Return)}
	}
	return operations
}

// model is the register in porcupine's terms.
func (r *register) model() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{free} },
		Step: func(was, input, _ any) (next []any) {
			for _, s := range r.step(was.(state), input.(entry)) {
				next = append(next, s)
			}
			return next
		},
		Equal: func(a, b any) bool { return a == b },
		DescribeOperation: func(input, _ any) string {
			e := input.(entry)
			text := e.String()
			if e.Kind == SeatMap {
				text = "seat map: " + string(e.shown)
			}
			if e.excused {
				text += " (excused)"
			}
			return text
		},
		DescribeState: func(s any) string { return s.(state).String() },
	}
	return model.ToModel()
}
