package apiserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"trainbooking.dev/test/kube/tools"
)

// supervise stands where envtest looks for a program, $0, and runs it from where it was
// built until the FIFO has no writer. To be asked for its flags is none of this.
const supervise = `#!/bin/sh
dir='%s' program='%s'
[ "$1" != --help ] || exec "$program" --help
exec 3<"$dir/alive"
"$program" "$@" 3<&- >>"$0.log" 2>&1 &
child=$!
trap 'kill $child' TERM
{ read -r _ <&3; kill -KILL $child; rm -rf "$dir"; } >/dev/null 2>&1 &
exec 3<&-
wait $child
`

// superviseIn writes the programs into dir and returns the end of the FIFO that keeps them
// running: to close it is to end them.
func superviseIn(dir string, programs ...string) (alive *os.File, err error) {
	for _, name := range programs {
		program, err := tools.Path(name)
		if err != nil {
			return nil, err
		}
		script := fmt.Sprintf(supervise, dir, program)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil { //nolint:gosec // it is run
			return nil, err
		}
	}
	fifo := filepath.Join(dir, "alive")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		return nil, err
	}
	// For both, as to open one for writing alone waits for a reader.
	return os.OpenFile(fifo, os.O_RDWR, 0)
}

// logs returns the end of what the programs wrote.
func logs(dir string, programs ...string) string {
	const enough = 4000
	var all strings.Builder
	for _, name := range programs {
		text, _ := os.ReadFile(filepath.Join(dir, name+".log")) // one that did not start has none
		fmt.Fprintf(&all, "%s:\n%s\n", name, text[max(0, len(text)-enough):])
	}
	return all.String()
}
