package cpu_test

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/cpu"
)

func TestNameMayContainSpacesAndParentheses(t *testing.T) {
	t.Parallel()
	line := "4242 (a (b) c) d) S 17 4242 4242 0 -1 4194560 1 2 3 4 150 25 7000 800 20 0 1 0 5 6 7 8\n"
	parent, own, ended, err := cpu.Parse(line)
	require.NoError(t, err)
	require.Equal(t, 17, parent)
	require.Equal(t, 1750*time.Millisecond, own)
	require.Equal(t, 78*time.Second, ended)
}

func TestOtherTextIsNoStat(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", ")", "1 (sh) S 1", "1 (sh) S 1 2 3 4 5 6 7 8 9 10 x 12 13 14 15 16 17 18",
		"1 (sh) S ? 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18",
	} {
		_, _, _, err := cpu.Parse(text)
		require.Error(t, err, text)
	}
}

func TestChildrenThatHaveEndedAreCounted(t *testing.T) {
	t.Parallel()
	before, err := cpu.WithChildren(os.Getpid())
	require.NoError(t, err)
	busy := exec.CommandContext(t.Context(), "/bin/sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")
	require.NoError(t, busy.Run())
	after, err := cpu.WithChildren(os.Getpid())
	require.NoError(t, err)
	require.GreaterOrEqual(t, after-before, busy.ProcessState.UserTime()-20*time.Millisecond)
}

func TestProcessThatDoesNotExistIsAnError(t *testing.T) {
	t.Parallel()
	_, err := cpu.Of(1 << 30)
	require.Error(t, err)
	_, err = cpu.Memory(1 << 30)
	require.Error(t, err)
}

func TestMemoryIsThatOfTheProcess(t *testing.T) {
	t.Parallel()
	bytes, err := cpu.Memory(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, bytes, 1<<20)
	require.Less(t, bytes, 1<<32)
}

func TestIdleTimeIsNotBusy(t *testing.T) {
	t.Parallel()
	busy, err := cpu.ParseBusy("cpu  100 20 30 5000 6000 4 5 600 7000 8000\ncpu0 1 2 3 4 5 6 7 8 9 10\n")
	require.NoError(t, err)
	require.Equal(t, 7590*time.Millisecond, busy)
	for _, text := range []string{"", "cpu", "cpu0 1 2 3 4 5 6 7 8", "cpu 1 2 x 4 5 6 7 8"} {
		_, err := cpu.ParseBusy(text)
		require.Error(t, err, text)
	}
}
