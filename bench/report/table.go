package report

import (
	"fmt"
	"strings"
	"time"
)

// Table returns the results, a row for each workload and server. A rush has two rows: how long it
// took until all was sold, and the requests after that.
func (r *Report) Table() string {
	var b strings.Builder
	b.WriteString("| workload | server | median | spread | p50 ms | p99 ms | server µs | Postgres µs | Redis µs | wrk µs | others | bytes |\n")
	b.WriteString("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n")
	for i := range r.Results {
		found := &r.Results[i]
		m := found.Median()
		if m.SoldOut > 0 {
			all := sorted(found.Samples, func(s Sample) time.Duration { return s.SoldOut })
			fmt.Fprintf(&b, "| %s: sold out after | %s | %.2f s | %.2f–%.2f | | | | | | | | |\n",
				found.Workload, found.Server, m.SoldOut.Seconds(), all[0].Seconds(), all[len(all)-1].Seconds())
		}
		rates := sorted(found.Samples, func(s Sample) float64 { return s.Rate })
		fmt.Fprintf(&b, "| %s | %s | %s/s | %s–%s | %s | %s | %s | %s | %s | %s | %.0f %% | %.0f |\n",
			found.Workload, found.Server, thousands(m.Rate), thousands(rates[0]), thousands(rates[len(rates)-1]),
			milliseconds(m.P50), milliseconds(m.P99),
			microseconds(m.Server), microseconds(m.Postgres), microseconds(m.Redis), microseconds(m.Wrk), m.Others*100, m.Bytes)
	}
	return b.String()
}

// thousands returns a whole number with commas.
func thousands(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond))
}

// microseconds returns "" for nothing: the server has no such store.
func microseconds(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f", float64(d)/float64(time.Microsecond))
}
