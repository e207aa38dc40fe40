package growth_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/bench/growth"
)

func example() []growth.Axis {
	return []growth.Axis{
		{Name: "trains", Unit: "µs", Sizes: []int{100, 10_000, 100_000}, Figures: []growth.Figure{
			{Name: "search", Values: []float64{60, 1200.4, 9000}, Work: []float64{1, 20, 300}},
			{Name: "lock", Values: []float64{200, 260, 600}, Work: []float64{1, 1, 1}},
		}},
		{Name: "legs", Unit: "µs", Sizes: []int{1, 63}, Figures: []growth.Figure{
			{Name: "lock", Values: []float64{9.5, 12}, Work: []float64{1, 1}},
		}},
	}
}

func TestFasterThanItsWorkIsADefect(t *testing.T) {
	t.Parallel()
	require.Equal(t, `| trains | 100 | 10,000 | 100,000 | grows by | its work by | |
| --- | ---: | ---: | ---: | ---: | ---: | --- |
| search, µs | 60.0 | 1,200 | 9,000 | 150 | 300 |  |
| lock, µs | 200 | 260 | 600 | 3.00 | 1.00 | **a defect**: faster than its work from 100 to 100,000 |

| legs | 1 | 63 | grows by | its work by | |
| --- | ---: | ---: | ---: | ---: | --- |
| lock, µs | 9.50 | 12.0 | 1.26 | 1.00 |  |

`, growth.Table(example()))
	require.Equal(t, []string{
		"A DEFECT: lock grows faster than its work: from 100 to 100,000 trains by 3.00, its work by 1.00",
	}, growth.Defects(example()))
}

func TestPlotIsASmallFileThatIsAlwaysTheSame(t *testing.T) {
	t.Parallel()
	var first, second bytes.Buffer
	require.NoError(t, growth.Plot(&first, example()))
	require.NoError(t, growth.Plot(&second, example()))
	require.Equal(t, first.String(), second.String())
	require.Less(t, first.Len(), 60_000)
	require.Contains(t, first.String(), "100,000")
	for d := xml.NewDecoder(&first); ; {
		if _, err := d.Token(); err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
}

func TestPlotOfLessThanNothing(t *testing.T) {
	t.Parallel()
	for _, value := range []float64{-3, 0} {
		memory := growth.Figure{Name: "memory of a further train"}
		memory.Add(value, 1)
		axis := growth.Axis{Name: "trains", Unit: "kB", Sizes: []int{300}, Figures: []growth.Figure{memory}}
		require.NoError(t, growth.Plot(io.Discard, []growth.Axis{axis}))
	}
}
