package history

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"trainbooking.dev/booking"
)

// Verdict is what the search found.
type Verdict struct {
	Seats  int // how many were judged
	Wrong  []Wrong
	Took   time.Duration
	Longer time.Duration // the seat that took longest
}

// Wrong is a seat without an order of its operations that explains them.
type Wrong struct {
	Train booking.TrainID
	Seat  int
	// Result is porcupine.Unknown when the time was over, which is no better.
	Result porcupine.CheckResult

	model porcupine.Model
	info  porcupine.LinearizationInfo
}

func (w Wrong) String() string { return fmt.Sprintf("%s: seat %d of %s", w.Result, w.Seat, w.Train) }

// Picture writes an HTML page that shows how far the search came.
func (w Wrong) Picture(path string) error { return porcupine.VisualizePath(w.model, w.info, path) }

// Check looks for an order of the operations of each seat, for each at most so long.
func (h *History) Check(limit time.Duration) (v Verdict) {
	begun := time.Now()
	for at, operations := range h.bySeat() {
		model, entries := h.prepare(operations)
		v.Seats++
		started := time.Now()
		result, info := porcupine.CheckOperationsVerbose(model.model(), operationsOf(entries), limit)
		v.Longer = max(v.Longer, time.Since(started))
		if result != porcupine.Ok {
			v.Wrong = append(v.Wrong, Wrong{at.train, at.seat, result, model.model(), info})
		}
	}
	slices.SortFunc(v.Wrong, func(a, b Wrong) int {
		return cmp.Or(cmp.Compare(a.Train.String(), b.Train.String()), cmp.Compare(a.Seat, b.Seat))
	})
	v.Took = time.Since(begun)
	return v
}

func operationsOf(entries []entry) []porcupine.Operation {
	operations := make([]porcupine.Operation, len(entries))
	for i, e := range entries {
		operations[i] = porcupine.Operation{ClientId: e.Client, Input: e, Call: int64(e.Call), Return: int64(e.Return)}
	}
	return operations
}

// model is the seat in porcupine's terms.
func (s *seat) model() porcupine.Model {
	model := porcupine.NondeterministicModel{
		Init: func() []any { return []any{free} },
		Step: func(was, input, _ any) (may []any) {
			for _, next := range s.step(was.(state), input.(entry)) {
				may = append(may, next)
			}
			return may
		},
		Equal: func(a, b any) bool { return a == b },
		DescribeOperation: func(input, _ any) string {
			e := input.(entry)
			text := e.String()
			if e.excused {
				text += " (excused)"
			}
			return text
		},
		DescribeState: func(is any) string { return is.(state).String() },
	}
	return model.ToModel()
}
