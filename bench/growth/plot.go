package growth

import (
	"bytes"
	"image/color"
	"io"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The size of a panel, and how many there are in a row.
const (
	panelWidth, panelHeight = 3.2 * vg.Inch, 2.6 * vg.Inch
	panelsInARow            = 3
)

// Two colors that differ for everybody, of Okabe and Ito.
var colors = []color.Color{color.RGBA{R: 0, G: 114, B: 178, A: 255}, color.RGBA{R: 213, G: 94, B: 0, A: 255}}

// Plot writes a panel for each axis, as SVG. Both scales are logarithmic, so that a figure that grows
// as its work does is parallel to the dashed line of the work.
func Plot(w io.Writer, axes []Axis) error {
	rows := (len(axes) + panelsInARow - 1) / panelsInARow
	canvas := vgsvg.New(panelsInARow*panelWidth, vg.Length(rows)*panelHeight)
	tiles := draw.Tiles{
		Rows: rows, Cols: panelsInARow, PadX: vg.Points(14), PadY: vg.Points(14),
		PadTop: vg.Points(6), PadBottom: vg.Points(6), PadLeft: vg.Points(6), PadRight: vg.Points(12),
	}
	page := draw.New(canvas)
	page.SetColor(color.White) // GitHub's page may be dark
	page.Fill(page.Path())
	for i, a := range axes {
		p, err := a.panel()
		if err != nil {
			return err
		}
		p.Draw(tiles.At(page, i%panelsInARow, i/panelsInARow))
	}
	var svg bytes.Buffer
	if _, err := canvas.WriteTo(&svg); err != nil {
		return err
	}
	// Arial has the same widths, and is where Liberation is not.
	_, err := w.Write(bytes.ReplaceAll(svg.Bytes(), []byte("Liberation Sans"), []byte("Liberation Sans,Arial,sans-serif")))
	return err
}

func (a *Axis) panel() (*plot.Plot, error) {
	p := plot.New()
	for _, style := range []*text.Style{&p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle} {
		style.Font.Variant, style.Font.Size = "Sans", vg.Points(9)
	}
	p.X.Label.Text, p.Y.Label.Text = a.Name, a.Unit
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.ThumbnailWidth = vg.Points(14)
	for i := range a.Figures {
		if err := a.draw(p, i); err != nil {
			return nil, err
		}
	}
	// The legend is above the lines, and no line is at the edge.
	p.Y.Min, p.Y.Max = p.Y.Min/1.5, p.Y.Max*6
	p.X.Tick.Marker, p.Y.Tick.Marker = sizes(a.Sizes), plot.TickerFunc(oneTwoFive)
	p.X.Padding, p.Y.Padding = 0, 0
	return p, nil
}

// draw adds a figure to a plot, with the line that it would have if it grew as its work does.
func (a *Axis) draw(p *plot.Plot, i int) error {
	f := &a.Figures[i]
	// A logarithmic scale has no place for the memory of few trains, which may be less than that of none: the
	// memory of a process differs by more.
	const least = 0.01
	measured, work := make(plotter.XYs, len(a.Sizes)), make(plotter.XYs, len(a.Sizes))
	for n, size := range a.Sizes {
		_, more := f.grown(0, n)
		measured[n] = plotter.XY{X: float64(size), Y: max(f.Values[n], least)}
		work[n] = plotter.XY{X: float64(size), Y: max(f.Values[0]*more, least)}
	}
	line, points, err := plotter.NewLinePoints(measured)
	if err != nil {
		return err
	}
	expected, err := plotter.NewLine(work)
	if err != nil {
		return err
	}
	c := colors[i%len(colors)]
	line.Color, line.Width = c, vg.Points(1.5)
	points.Color, points.Shape, points.Radius = c, draw.CircleGlyph{}, vg.Points(2.5)
	expected.Color, expected.Dashes = c, []vg.Length{vg.Points(2), vg.Points(2)}
	p.Add(expected, line, points)
	p.Legend.Add(f.Name, line, points)
	if i == len(a.Figures)-1 {
		p.Legend.Add("its work", expected)
	}
	return nil
}

// sizes are the ticks of an axis: what was measured.
func sizes(all []int) plot.ConstantTicks {
	ticks := make(plot.ConstantTicks, len(all))
	for i, size := range all {
		ticks[i] = plot.Tick{Value: float64(size), Label: thousands(size)}
	}
	return ticks
}

// oneTwoFive returns the ticks 1, 2, 5, 10, 20 and so on, fewer if there were many.
func oneTwoFive(lowest, highest float64) (ticks []plot.Tick) {
	steps := []float64{1, 2, 5}
	if highest > 200*lowest {
		steps = steps[:1]
	}
	for ten := 1.0; ten <= highest; ten *= 10 {
		for _, step := range steps {
			if v := ten * step; v >= lowest && v <= highest {
				ticks = append(ticks, plot.Tick{Value: v, Label: thousands(int(v))})
			}
		}
	}
	return ticks
}
