package gtfs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// reader counts what is read of all files of a feed.
type reader struct {
	ctx      context.Context //nolint:containedctx // it lives as long as one Read
	feed     *Feed
	read     int64
	progress func(read int64)
	report   *Report
}

// table is a file of a feed, of which it returns one row after another.
type table struct {
	name    string
	reader  *reader
	file    io.Closer
	input   *input
	csv     *csv.Reader
	columns []string
	row     []string
	rows    int
	faults  int
}

// table opens a file. It is nil if the feed does not have it. An error names required columns that are
// missing.
func (r *reader) table(name string, required ...string) (*table, error) {
	source, ok := r.feed.files[name]
	if !ok {
		return nil, nil //nolint:nilnil // most files are optional
	}
	opened, err := source.open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	t := &table{name: name, reader: r, file: opened, input: &input{from: opened, reader: r, compressed: source.compressed}}
	if err := t.readHeader(); err != nil {
		t.close()
		return nil, err
	}
	for _, column := range required {
		if !slices.Contains(t.columns, column) {
			t.close()
			return nil, fmt.Errorf("%s has no column %s", name, column)
		}
	}
	return t, nil
}

func (t *table) close() { _ = t.file.Close() } // it was only read

func (t *table) readHeader() error {
	text := bufio.NewReaderSize(t.input, 1<<16)
	start, _ := text.Peek(3)
	switch {
	case bytes.Equal(start, []byte("\xef\xbb\xbf")):
		_, _ = text.Discard(3)
	case bytes.HasPrefix(start, []byte("\xff\xfe")), bytes.HasPrefix(start, []byte("\xfe\xff")):
		return fmt.Errorf("%s is in UTF-16, and GTFS is in UTF-8", t.name)
	}
	t.csv = csv.NewReader(text)
	t.csv.FieldsPerRecord = -1
	t.csv.TrimLeadingSpace = true
	t.csv.ReuseRecord = true
	header, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s is empty", t.name)
	}
	if err != nil {
		return t.failed(err)
	}
	for _, column := range header {
		t.columns = append(t.columns, strings.Clone(strings.TrimSpace(column)))
	}
	return nil
}

// next reads the next row. It reports false at the end.
func (t *table) next() (bool, error) {
	t.input.record = 0
	row, err := t.csv.Read()
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	if err != nil {
		return false, t.failed(err)
	}
	if t.rows++; t.rows > maxRows[t.name] {
		return false, fmt.Errorf("%s has more than %d rows", t.name, maxRows[t.name])
	}
	t.row = row
	return true, nil
}

// failed names the file, and the line if it is the text that is wrong.
func (t *table) failed(err error) error {
	if e, ok := errors.AsType[*csv.ParseError](err); ok {
		return fmt.Errorf("%s, in the row of line %d: %w", t.name, e.StartLine, e.Err)
	}
	return fmt.Errorf("%s: %w", t.name, err)
}

// column returns the index of a column for get, or -1 if the file does not have it.
func (t *table) column(name string) int { return slices.Index(t.columns, name) }

// get returns a field of the row without spaces around it, "" if it is not there. It shares its memory with
// the whole row: clone what is kept.
func (t *table) get(column int) string {
	if column < 0 || column >= len(t.row) {
		return ""
	}
	return strings.TrimSpace(t.row[column])
}

// id is get for an id that is kept. It is "" if it is too long to be kept.
func (t *table) id(column int) string {
	id := t.get(column)
	if len(id) > maxID {
		return ""
	}
	return strings.Clone(id)
}

// fault counts a row that is wrong. It returns an error after too many.
func (t *table) fault(reason Reason, example string) error {
	t.reader.report.Rows.add(Reason(t.name+": "+string(reason)), 1, example)
	if t.faults++; t.faults > maxFaults {
		return fmt.Errorf("%s has more than %d rows that are wrong; the last one, in line %d: %s",
			t.name, maxFaults, t.line(), reason)
	}
	return nil
}

func (t *table) line() int {
	line, _ := t.csv.FieldPos(0)
	return line
}

// input is the text of a file, within the limits.
type input struct {
	from       io.Reader
	reader     *reader
	compressed int64
	read       int64 // of this file
	record     int   // since the last record was complete
}

// Read implements io.Reader.
func (in *input) Read(p []byte) (int, error) {
	if err := in.reader.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := in.from.Read(p)
	in.read += int64(n)
	in.record += n
	in.reader.read += int64(n)
	in.reader.progress(in.reader.read)
	switch {
	case in.record > maxRecord+len(p): // p was filled ahead
		return 0, fmt.Errorf("a row has more than %d kB: is a quote missing?", maxRecord>>10)
	case in.reader.read > maxText:
		return 0, fmt.Errorf("the feed has more than %d MB of text", maxText>>20)
	case in.compressed > 0 && in.read > minRatioText && in.read/in.compressed > maxRatio:
		return 0, fmt.Errorf("it is more than %d times larger than in the archive", maxRatio)
	}
	return n, err
}
