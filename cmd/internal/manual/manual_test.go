package manual_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"trainbooking.dev/cmd/internal/manual"
)

// The test binary is also the program whose command lines the shells complete.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "railway" {
		if err := railway(os.Args[1:]).Execute(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func railway(args []string) *cobra.Command {
	root := &cobra.Command{Use: "railway", Short: "Run trains.", Long: "Only by day."}
	run := &cobra.Command{
		Use: "run TRAIN [flags]", Short: "Run a train.", Example: "railway run express",
		ValidArgsFunction: cobra.NoFileCompletions, Run: func(*cobra.Command, []string) {},
	}
	run.Flags().String("speed", "slow", "`SPEED` of the train.")
	run.Flags().String("table", "", "`FILE` with the timetable.")
	run.Flags().String("depot", "", "`DIR` of the coaches.")
	root.AddCommand(run)
	manual.Apply(root, args, map[string][]string{"speed": {"slow", "fast"}})
	return root
}

func TestPageHasThePartsOfAManualPage(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	root := railway([]string{"run", "--help"})
	root.SetOut(&out)
	require.NoError(t, root.Execute())
	require.Equal(t, `NAME
  railway run - Run a train.

SYNOPSIS
  railway run TRAIN [flags]

EXAMPLES
  railway run express

FLAGS
      --speed SPEED   SPEED of the train. (default "slow")
      --table FILE    FILE with the timetable.
      --depot DIR     DIR of the coaches.
  -h, --help          Print this page.
`, out.String())
}

func TestShellsCompleteCommandsFlagsValuesAndPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, filepath.Join(dir, "railway")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "table.csv"), nil, 0o600))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "tables"), 0o700))
	for shell, script := range shells {
		for line, want := range map[string]string{
			"railway ru":                    "run",
			"railway run --sp":              "--speed",
			"railway run --speed ":          "fast slow",
			"railway run --speed f":         "fast",
			"railway run --table tab":       "table.csv tables",
			"railway run --depot tab":       "tables",
			"railway run --speed fast tabl": "",
		} {
			if shell == "fish" && want == "tables" {
				want = "table.csv tables" // Cobra's script for fish does not tell directories from files.
			}
			t.Run(shell+" "+line, func(t *testing.T) {
				t.Parallel()
				c := exec.CommandContext(t.Context(), shell, append(script, line)...)
				c.Dir = dir
				c.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "TERM=dumb"}
				out, err := c.CombinedOutput()
				require.NoError(t, err, "%s\nThe test needs bash with bash-completion, zsh and fish: make shells", out)
				require.Equal(t, want, words(string(out)))
			})
		}
	}
}
