package importer

import (
	"context"
	"fmt"
	"slices"
	"time"

	"trainbooking.dev/booking"
	"trainbooking.dev/gtfs"
)

// Action is what is done with a schedule.
type Action int

// The actions.
const (
	Keep Action = iota
	Create
	Change
	End
)

// Step is what is done with one schedule.
type Step struct {
	Action Action
	ID     booking.ScheduleID
	Name   string
	// Why is what differs, of a change.
	Why []string
	// Booked is how many departures with bookings an end leaves as trains.
	Booked int

	train    int // in the order of Timetable.Trains
	calendar booking.Calendar
	onSale   bool
}

// Plan is what an import changes.
type Plan struct {
	Steps []Step // the trains by name and departure, and then what ends
	// Left is how many schedules are no longer in the timetable, and stay because Prune is not set.
	Left int
}

// Options are what a plan does.
type Options struct {
	Prune bool // end the schedules of earlier imports that are no longer in the timetable
}

// Count returns how many steps are an action.
func (p *Plan) Count(action Action) (n int) {
	for i := range p.Steps {
		if p.Steps[i].Action == action {
			n++
		}
	}
	return n
}

// sourceOf returns the source of the ids of a timetable.
func sourceOf(t *gtfs.Timetable) string { return "gtfs:" + t.Source }

// NewPlan compares a timetable with the schedules of a service. The timetable must be read whole (see
// gtfs.Options) if it is filtered and Prune is set: what a filter leaves out does not end.
func NewPlan(ctx context.Context, service booking.Schedules, t *gtfs.Timetable, o Options) (*Plan, error) {
	known, err := imported(ctx, service, sourceOf(t))
	if err != nil {
		return nil, err
	}
	m := newMatcher(t, known)
	m.match()
	plan := &Plan{}
	for i := range m.trains {
		if step, ok := m.step(&m.trains[i]); ok {
			plan.Steps = append(plan.Steps, step)
		}
	}
	for _, k := range known {
		switch {
		case k.train != nil || !runsFrom(&k.calendar, t.Today):
		case o.Prune:
			plan.Steps = append(plan.Steps, Step{Action: End, ID: k.id, Name: k.name, Booked: k.booked})
		default:
			plan.Left++
		}
	}
	return plan, nil
}

// known is a schedule of an earlier import.
type known struct {
	id        booking.ScheduleID
	name      string
	content   gtfs.Content
	run       gtfs.Content // without the name
	departs   booking.LocalTime
	capacity  int
	daysAhead int
	onSale    bool
	calendar  booking.Calendar
	booked    int
	train     *train // nil: it is not in the timetable, as far as is found
}

// imported returns the schedules that imports of a source made, by name, departure and id.
func imported(ctx context.Context, service booking.Schedules, source string) ([]*known, error) {
	var all []*known
	page := booking.PageRequest{Limit: booking.MaxPageLimit}
	for {
		got, err := service.ListSchedules(ctx, page)
		if err != nil {
			return nil, fmt.Errorf("list the schedules of the service: %w", err)
		}
		for _, s := range got.Items {
			if s.ID.ImportedFrom(source) {
				all = append(all, newKnown(&s))
			}
		}
		if page.After = got.Next; got.Next.IsZero() {
			return all, nil
		}
	}
}

func newKnown(s *booking.ScheduleStatus) *known {
	return &known{
		id: s.ID, name: s.Name, content: gtfs.ContentOf(s.Schedule), run: runOf(s.Schedule), departs: s.Stops[0].Departs,
		capacity: s.Capacity, daysAhead: s.SoldDaysAhead, onSale: s.OnSale, calendar: s.Calendar, booked: s.Booked,
	}
}

// runOf returns the content of a schedule without its name.
func runOf(s *booking.Schedule) gtfs.Content {
	nameless := *s
	nameless.Name = ""
	return gtfs.ContentOf(&nameless)
}

// step returns what is done with a train. It reports false if that is nothing, because it is not selected.
func (m *matcher) step(t *train) (Step, bool) {
	if !t.selected {
		return Step{}, false
	}
	step := Step{Action: Create, ID: t.id, Name: t.name, train: t.index, calendar: t.calendar, onSale: true}
	k := t.known
	if k == nil {
		step.ID = m.freeID(t.id)
		return step, true
	}
	step.ID, step.onSale = k.id, k.onSale
	if step.Why = m.differences(k, t); len(step.Why) == 0 {
		step.Action = Keep
		return step, true
	}
	step.Action, step.calendar = Change, m.changedCalendar(k, t)
	return step, true
}

func (m *matcher) differences(k *known, t *train) (why []string) {
	for _, d := range []struct {
		what    string
		differs bool
	}{
		{"name", k.name != t.name},
		{"stops or times", k.run != t.run},
		{"days", !sameFrom(&k.calendar, &t.calendar, m.today)},
		{"capacity", k.capacity != t.capacity},
		{"days ahead", k.daysAhead != t.daysAhead},
	} {
		if d.differs {
			why = append(why, d.what)
		}
	}
	return why
}

// sameFrom reports whether both calendars have the same dates from one on.
func sameFrom(a, b *booking.Calendar, from booking.Date) bool {
	if a.Days == b.Days && a.From == b.From && a.Until == b.Until && slices.Equal(a.Exceptions, b.Exceptions) {
		return true
	}
	first, second := a.Departures(from, booking.LastDate), b.Departures(from, booking.LastDate)
	return slices.Equal(slices.Collect(first), slices.Collect(second))
}

func runsFrom(c *booking.Calendar, from booking.Date) bool {
	for range c.Departures(from, booking.LastDate) {
		return true
	}
	return false
}

// longestRun is how many days ago a train left that may still be running.
const longestRun = booking.Date(booking.MaxLocalTime/(24*time.Hour)) + 1

// changedCalendar returns the days of the train from today on, and before those of the schedule: trains of
// yesterday may still run, and have bookings.
func (m *matcher) changedCalendar(k *known, t *train) booking.Calendar {
	dates := slices.Collect(k.calendar.Departures(m.today-longestRun, m.today-1))
	calendar := booking.CalendarOf(slices.AppendSeq(dates, t.calendar.Departures(m.today, booking.LastDate)))
	if len(calendar.Exceptions) > booking.MaxExceptions {
		return t.calendar
	}
	return calendar
}
