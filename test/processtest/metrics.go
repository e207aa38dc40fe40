package processtest

import (
	"bufio"
	"context"
	"net/http"
	"strconv"
	"strings"
)

// ReadMetrics returns the values of the metrics at the URL of a process, by name and labels as they
// are written there.
func ReadMetrics(ctx context.Context, client *http.Client, url string) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	values := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	for lines.Scan() {
		if name, text, found := strings.Cut(lines.Text(), " "); found {
			if value, err := strconv.ParseFloat(text, 64); err == nil { // else a comment
				values[name] = value
			}
		}
	}
	return values, lines.Err()
}
