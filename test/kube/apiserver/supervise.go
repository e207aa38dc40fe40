package apiserver

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"trainbooking.dev/test/kube/tools"
)

// supervise is the script that envtest runs in place of a program. It runs the program until the
// FIFO has no writer. envtest also calls it with --help to learn the program's flags.
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

// superviseIn writes the scripts into dir and returns the write end of the FIFO. Closing it
// stops the programs.
func superviseIn(dir string, programs ...string) (alive *os.File, err error) {
	for _, name := range programs {
		program, err := tools.Path(name)
		if err != nil {
			return nil, err
		}
		script := fmt.Sprintf(supervise, dir, program)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil { //nolint:gosec // it must be executable
			return nil, err
		}
	}
	fifo := filepath.Join(dir, "alive")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		return nil, err
	}
	// O_RDWR, because opening a FIFO with O_WRONLY blocks until there is a reader.
	return os.OpenFile(fifo, os.O_RDWR, 0)
}

// logs returns the end of the programs' output.
func logs(dir string, programs ...string) string {
	const maxBytes = 4000
	var all strings.Builder
	for _, name := range programs {
		text, _ := os.ReadFile(filepath.Join(dir, name+".log")) // a program that did not start has no log
		fmt.Fprintf(&all, "%s:\n%s\n", name, text[max(0, len(text)-maxBytes):])
	}
	return all.String()
}
