package importer

import (
	"fmt"
	"io"
	"strings"
)

// barWidth is the width of a progress bar in columns.
const barWidth = 30

// Progress is a bar on a terminal. It prints nothing if To is nil. It is for one goroutine at a time.
type Progress struct {
	To    io.Writer
	label string
	last  int
}

// Show draws how much of something is done.
func (p *Progress) Show(label string, done, total int64) {
	if p.To == nil || total <= 0 {
		return
	}
	percent := int(min(100*done/total, 100))
	if label == p.label && percent == p.last {
		return
	}
	p.label, p.last = label, percent
	full := barWidth * percent / 100
	bar := strings.Repeat("=", full) + strings.Repeat(" ", barWidth-full)
	fmt.Fprintf(p.To, "\r%-10s [%s] %3d %%", label, bar, percent)
}

// Clear removes the bar.
func (p *Progress) Clear() {
	if p.To == nil || p.label == "" {
		return
	}
	fmt.Fprint(p.To, "\r\x1b[K")
	p.label = ""
}
