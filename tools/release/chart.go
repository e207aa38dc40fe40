package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// writeCharts packages each chart with the version of the release, so that it installs the images
// of the release.
func (r *release) writeCharts() error {
	charts, err := filepath.Glob(filepath.Join(r.root, "charts", "*", "Chart.yaml"))
	if err != nil {
		return err
	}
	for _, file := range charts {
		dir, err := r.chartOfRelease(filepath.Dir(file))
		if err != nil {
			return err
		}
		err = r.tool([]string{fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.time.Unix())}, r.helm,
			"package", dir, "--version", r.version, "--app-version", r.version, "--destination", r.dist)
		if err != nil {
			return err
		}
	}
	return nil
}

// chartOfRelease copies a chart and gives the images that it lists for Artifact Hub the version.
func (r *release) chartOfRelease(chart string) (string, error) {
	dir := filepath.Join(r.binaries, "charts", filepath.Base(chart))
	if err := os.CopyFS(dir, os.DirFS(chart)); err != nil {
		return "", err
	}
	file := filepath.Join(dir, "Chart.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	listed := regexp.MustCompile(`(?m)^( +image: .+):[^:/]+$`).ReplaceAll(text, []byte("${1}:"+r.version))
	return dir, os.WriteFile(file, listed, 0o644)
}
