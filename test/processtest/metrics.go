package processtest

import (
	"bufio"
	"net/http"
	"strconv"
	"strings"
)

// ReadMetrics returns the values of the metrics at the URL of a process, by name and labels as they
// are written there.
func ReadMetrics(client *http.Client, url string) (map[string]float64, error) {
	response, err := client.Get(url)
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
