// Package cpu reads from /proc how much processor time and memory processes use.
package cpu

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of times in /proc/PID/stat: USER_HZ is 100 on every architecture that Go supports.
const tick = 10 * time.Millisecond

// stat is what is read of /proc/PID/stat.
type stat struct {
	parent     int
	own, ended time.Duration // of the process, and of children that have ended and were waited for
}

// Of returns the processor time that a process has used, in user and system mode.
func Of(pid int) (time.Duration, error) {
	s, err := read(pid)
	return s.own, err
}

// WithChildren returns the processor time of a process and of its children, ended ones included. It
// does not count the children of children that live.
func WithChildren(pid int) (time.Duration, error) {
	s, err := read(pid)
	if err != nil {
		return 0, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return 0, err
	}
	sum := s.own + s.ended
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue // not a process
		}
		// A process that has ended meanwhile is counted by its parent the next time.
		if c, err := read(child); err == nil && c.parent == pid {
			sum += c.own + c.ended
		}
	}
	return sum, nil
}

// Memory returns the resident set size of a process in bytes.
func Memory(pid int) (int, error) {
	name := fmt.Sprintf("/proc/%d/status", pid)
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	var kilobytes int
	if _, err := fmt.Sscan(after, &kilobytes); err != nil {
		return 0, fmt.Errorf("VmRSS in %s: %w", name, err)
	}
	return kilobytes << 10, nil
}

// Busy returns the processor time that everything on the machine has used, and what the machine below
// a virtual one has taken from it.
func Busy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseBusy(string(text))
}

// parseBusy reads the first line of /proc/stat: cpu user nice system idle iowait irq softirq steal,
// and more that is counted in user and nice already.
func parseBusy(text string) (sum time.Duration, err error) {
	const idle, iowait, steal = 4, 5, 8
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) <= steal || fields[0] != "cpu" {
		return 0, fmt.Errorf("%q is not the first line of /proc/stat", line)
	}
	for i, field := range fields[:steal+1] {
		if i == 0 || i == idle || i == iowait {
			continue
		}
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, fmt.Errorf("%q is not the first line of /proc/stat", line)
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}

func read(pid int) (stat, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parse(string(text))
}

// parse reads a line of /proc/PID/stat (proc_pid_stat(5)). The second field is the name in
// parentheses, which may contain spaces and parentheses.
func parse(text string) (stat, error) {
	const (
		state    = 3 // the first field after the name, counted as in the manual
		parent   = 4
		userTime = 14
		fields   = 4 // utime, stime, cutime, cstime
	)
	after := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(after) <= userTime-state+fields {
		return stat{}, fmt.Errorf("%q is not a line of /proc/PID/stat", text)
	}
	number := func(field int) (n int) {
		n, err := strconv.Atoi(after[field-state])
		if err != nil {
			return -1
		}
		return n
	}
	s := stat{parent: number(parent)}
	times := [fields]time.Duration{}
	for i := range times {
		n := number(userTime + i)
		if n < 0 || s.parent < 0 {
			return stat{}, fmt.Errorf("%q is not a line of /proc/PID/stat", text)
		}
		times[i] = time.Duration(n) * tick
	}
	s.own, s.ended = times[0]+times[1], times[2]+times[3]
	return s, nil
}
