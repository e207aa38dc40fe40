package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// writeSBOMs writes a CycloneDX document for each program and platform: the modules that its file
// says it was built from.
func (r *release) writeSBOMs() error {
	for _, p := range r.platforms {
		for _, program := range r.programs {
			file := filepath.Join(r.dist, r.name(program, p)+".cdx.json")
			err := r.tool(nil, r.sbom, "bin", "-json", "-std", "-noserial", "-notimestamp",
				"-version", "v"+r.version, "-output", file, r.binary(program, p))
			if err != nil {
				return err
			}
			if err := removeTools(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// removeTools removes the checksums of the tool that wrote the document, which differ between
// machines.
func removeTools(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var document map[string]any
	if err := json.Unmarshal(text, &document); err != nil {
		return err
	}
	if metadata, ok := document["metadata"].(map[string]any); ok {
		delete(metadata, "tools")
	}
	if text, err = json.MarshalIndent(document, "", "  "); err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}
