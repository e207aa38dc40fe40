// Command release writes what a release consists of to dist/: for each program and platform an
// archive and an SBOM, for the service and the operator an OCI image layout, the charts, the notes
// and the checksums. `make release` runs it; docs/releasing.md describes the files.
//
// The files depend only on the commit, the version and the version of Go: file times are that of
// the commit.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// release is what is to be released.
type release struct {
	commit

	version    string     // without a v in front
	platforms  []platform // in order
	programs   []string   // in order
	tags       string     // for go build
	helm, sbom string     // the files of the tools
	binaries   string     // a directory
	dist       string     // a directory
}

func main() {
	var r release
	flag.StringVar(&r.version, "version", "", "the semantic `version`; the commit has the tag v<version>")
	flag.StringVar(&r.tags, "tags", "", "the build `tags`")
	flag.StringVar(&r.helm, "helm", "", "the `file` of helm")
	flag.StringVar(&r.sbom, "cyclonedx-gomod", "", "the `file` of cyclonedx-gomod")
	platforms := flag.String("platforms", "linux/amd64,linux/arm64,darwin/arm64", "a `list`")
	flag.Parse()
	r.version = strings.TrimPrefix(r.version, "v")
	for _, name := range strings.Split(*platforms, ",") {
		r.platforms = append(r.platforms, platform(name))
	}
	if err := r.run(); err != nil {
		fmt.Fprintf(os.Stderr, "release: %v\n", err)
		os.Exit(1)
	}
}

func (r *release) run() (err error) {
	if r.commit, err = findCommit(); err != nil {
		return err
	}
	notes, err := r.check()
	if err != nil {
		return err
	}
	if r.binaries, err = os.MkdirTemp("", "release-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.binaries)) }()
	if err := r.clean(); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(r.dist, "release-notes.md"), notes, 0o644); err != nil {
		return err
	}
	for _, write := range []func() error{r.build, r.writeArchives, r.writeSBOMs, r.writeImages, r.writeCharts, r.writeChecksums} {
		if err := write(); err != nil {
			return err
		}
	}
	fmt.Printf("%s has release %s\n", r.dist, r.version)
	return nil
}

// clean makes an empty dist.
func (r *release) clean() error {
	r.dist = filepath.Join(r.root, "dist")
	if err := os.RemoveAll(r.dist); err != nil {
		return err
	}
	return os.Mkdir(r.dist, 0o755)
}
