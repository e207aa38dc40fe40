package check_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/check"
)

func TestContradictionsAreFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		acks  string
		owned check.Owned
		want  string // part of the one problem, "" for none
	}{
		"all is well":               {"lock 1 a 1.5\nbook 1 a 2.5\nlock 2 b 3\n", check.Owned{1: {"a"}}, ""},
		"a repeated lock":           {"lock 1 a 1\nlock 1 a 2\n", nil, ""},
		"a repeated booking":        {"book 1 a 1\nbook 1 a 2\n", check.Owned{1: {"a"}}, ""},
		"a sale that was not acked": {"lock 1 a 1\n", check.Owned{1: {"a"}}, ""},
		"nobody has it":             {"book 1 a 1\n", nil, "seat a was sold to user 1, and user 0 has it"},
		"somebody else has it":      {"book 1 a 1\n", check.Owned{2: {"a"}}, "seat a was sold to user 1, and user 2 has it"},
		"two owners":                {"", check.Owned{1: {"a"}, 2: {"a"}}, "seat a has two owners"},
		"twice in one list":         {"", check.Owned{1: {"a", "a"}}, "seat a has two owners"},
		"two users locked it":       {"lock 1 a 1\nlock 2 a 2\n", nil, "seat a was given to two users: 1 and 2"},
	} {
		acks, err := check.Read(strings.NewReader(c.acks))
		require.NoError(t, err, name)
		problems := check.Problems(acks, c.owned)
		if c.want == "" {
			require.Empty(t, problems, name)
			continue
		}
		require.Len(t, problems, 1, name)
		require.Contains(t, problems[0], c.want, name)
	}
}

func TestOtherLinesAreErrors(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"lock 1 a\n", "sell 1 a 2\n", "lock one a 2\n", "book 1 a soon\n"} {
		_, err := check.Read(strings.NewReader(text))
		require.Error(t, err, text)
	}
}
