package main

import (
	"fmt"
	"path/filepath"
)

// writeCharts packages each chart with the version of the release, so that it installs the images
// of the release.
func (r *release) writeCharts() error {
	charts, err := filepath.Glob(filepath.Join(r.root, "charts", "*", "Chart.yaml"))
	if err != nil {
		return err
	}
	for _, file := range charts {
		err := r.tool([]string{fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.time.Unix())}, r.helm,
			"package", filepath.Dir(file), "--version", r.version, "--app-version", r.version, "--destination", r.dist)
		if err != nil {
			return err
		}
	}
	return nil
}
