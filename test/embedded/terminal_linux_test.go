package embedded_test

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"trainbooking.dev/test/processtest"
)

// terminal is a pseudo-terminal.
type terminal struct {
	keyboard *os.File
	screen   *processtest.Lines
	closed   chan struct{} // when no process has the terminal open
}

// onTerminal starts c on a new terminal.
func onTerminal(t *testing.T, c *exec.Cmd) *terminal {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	slave, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	c.Stdin, c.Stdout, c.Stderr = slave, slave, slave
	require.NoError(t, c.Start())
	require.NoError(t, slave.Close())

	tty := &terminal{keyboard: master, screen: &processtest.Lines{}, closed: make(chan struct{})}
	go func() {
		defer close(tty.closed)
		tty.screen.Fill(master)
	}()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait() // an error if the test has waited already
		<-tty.closed
		require.NoError(t, master.Close())
	})
	return tty
}

// typeHidden types a line as soon as the terminal does not echo.
func (tty *terminal) typeHidden(t *testing.T, line string) {
	t.Helper()
	require.Eventually(t, func() bool {
		state, err := unix.IoctlGetTermios(int(tty.keyboard.Fd()), unix.TCGETS)
		return err == nil && state.Lflag&unix.ECHO == 0
	}, timeout, 5*time.Millisecond, "the terminal still echoes")
	_, err := tty.keyboard.WriteString(line + "\n")
	require.NoError(t, err)
}

func TestServeOnATerminalPrintsWhatToDoNext(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ flag, next, shows string }{
		{"--page", "Open %s in a browser", "<title>Trainbooking</title>"},
		{"--page=false", "Try curl %s in another terminal", "Duranto Express"},
	} {
		dir := t.TempDir()
		c := processtest.Command(t, "serve", row.flag, "--demo", "--data-dir", dir, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")
		tty := onTerminal(t, c)
		tty.screen.Await(t, tty.closed, "/docs")
		require.Contains(t, tty.screen.Await(t, tty.closed, "  data "), dir)
		next, _, _ := strings.Cut(row.next, "%s")
		var url string
		_, err := fmt.Sscanf(tty.screen.Await(t, tty.closed, next), row.next, &url)
		require.NoError(t, err)
		url = strings.Trim(url, "'")
		require.Contains(t, string(processtest.NewClient(url).Must(t, 200, "GET", "", nil).Body), row.shows)

		require.NoError(t, c.Process.Signal(os.Interrupt))
		require.NoError(t, c.Wait())
		require.NotContains(t, tty.screen.String(), `{"time"`, "the log is text")
	}
}

func TestCreateSuperuserAsksTwiceForAPasswordAndDoesNotShowIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	create := func(first, second string) (*exec.Cmd, *terminal) {
		c := processtest.Command(t, "createsuperuser", "--data-dir", dir, "--username", "root", "--email", "root@example.org")
		tty := onTerminal(t, c)
		tty.typeHidden(t, first)
		tty.screen.Await(t, tty.closed, "Password: ")
		tty.typeHidden(t, second)
		return c, tty
	}
	c, tty := create(password, "another password")
	require.Error(t, c.Wait())
	require.Equal(t, 2, c.ProcessState.ExitCode())
	tty.screen.Await(t, tty.closed, "password2 must be the same as password")

	c, tty = create(password, password)
	require.NoError(t, c.Wait())
	tty.screen.Await(t, tty.closed, "root is an admin now.")
	require.NotContains(t, tty.screen.String(), password)

	s := start(t, dir)
	processtest.LogIn(t, s.URL, "root", password)
}
