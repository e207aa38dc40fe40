package main_test

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// maxSize is the size of the files of an image in bytes.
const maxSize = 60_000_000

// contents are the files of each image: mode, owner, path.
var contents = map[string][]string{
	"trainbooking":          append(slices.Clone(common), "-rwxr-xr-x 0 trainbooking", "drwxr-xr-x 65532 data"),
	"trainbooking-operator": append(slices.Clone(common), "-rwxr-xr-x 0 operator"),
}

var common = []string{
	"drwxr-xr-x 0 etc", "drwxr-xr-x 0 etc/ssl", "drwxr-xr-x 0 etc/ssl/certs",
	"-rw-r--r-- 0 etc/ssl/certs/ca-certificates.crt", "-rw-r--r-- 0 etc/group", "-rw-r--r-- 0 etc/passwd",
	"dtrwxrwxrwx 0 tmp",
}

func TestImageIsSmallAndHasOnlyWhatItsProgramNeeds(t *testing.T) {
	t.Parallel()
	for name := range contents {
		checkContents(t, name, image(t, name))
	}
}

func checkContents(t *testing.T, name string, of v1.Image) {
	t.Helper()
	var files []string
	size := int64(0)
	extract(t, of, func(h *tar.Header, _ io.Reader) {
		files = append(files, fmt.Sprintf("%s %d %s", h.FileInfo().Mode(), h.Uid, strings.TrimSuffix(h.Name, "/")))
		size += h.Size
	})
	want := slices.Sorted(slices.Values(contents[name]))
	if slices.Sort(files); !slices.Equal(files, want) {
		t.Errorf("%s has\n%s\nnot\n%s", name, strings.Join(files, "\n"), strings.Join(want, "\n"))
	}
	if t.Logf("%s has %d bytes", name, size); size > maxSize {
		t.Errorf("%s has %d bytes, and maxSize is %d", name, size, maxSize)
	}
}

func TestProgramsOfImagesRun(t *testing.T) {
	t.Parallel()
	service, operator := unpack(t, "trainbooking", "trainbooking"), unpack(t, "trainbooking-operator", "operator")
	if got := run(t, ".", nil, service, "version"); !strings.Contains(got, "trainbooking 1.2.3 (") {
		t.Errorf("got %s", got)
	}
	if got := run(t, ".", nil, operator, "--version"); !strings.Contains(got, "operator 1.2.3 (") {
		t.Errorf("got %s", got)
	}
}

// The process uses the environment of the image, except where its data is.
func TestServiceOfTheImageGetsHealthy(t *testing.T) {
	t.Parallel()
	config, err := image(t, "trainbooking").ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	service := unpack(t, "trainbooking", "trainbooking")
	environ := append(slices.Clone(config.Config.Env), "TRAINBOOKING_DATA_DIR="+t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	serve := exec.CommandContext(ctx, service, append(config.Config.Cmd, "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")...)
	serve.Env, serve.Cancel = environ, func() error { return serve.Process.Signal(syscall.SIGTERM) }
	log, err := serve.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	url := ""
	lines := bufio.NewScanner(log)
	for url == "" && lines.Scan() {
		_, after, _ := strings.Cut(lines.Text(), `"clients":"`)
		url, _, _ = strings.Cut(after, `"`)
	}
	healthcheck := exec.Command(service, append(config.Config.Healthcheck.Test[2:], "--url", url)...)
	healthcheck.Env = environ
	if out, err := healthcheck.CombinedOutput(); err != nil {
		t.Errorf("healthcheck: %v\n%s", err, out)
	}
	cancel()
	_, _ = io.Copy(io.Discard, log)
	if err := serve.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("serve: %v", err)
	}
}

// image returns the image for linux/amd64 of a layout of the release.
func image(t *testing.T, name string) v1.Image {
	t.Helper()
	dir := t.TempDir()
	run(t, dir, nil, "tar", "xf", filepath.Join(released(t), name+"-1.2.3.oci.tar"))
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if index, err = index.ImageIndex(manifest.Manifests[0].Digest); err != nil {
		t.Fatal(err)
	}
	if manifest, err = index.IndexManifest(); err != nil {
		t.Fatal(err)
	}
	if p := manifest.Manifests[0].Platform; len(manifest.Manifests) != 1 || p.String() != "linux/amd64" {
		t.Fatalf("got %d images, the first for %s", len(manifest.Manifests), p)
	}
	found, err := index.Image(manifest.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// unpack returns a copy of a file of an image.
func unpack(t *testing.T, name, path string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), path)
	extract(t, image(t, name), func(h *tar.Header, content io.Reader) {
		if h.Name != path {
			return
		}
		all, err := io.ReadAll(content)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, all, h.FileInfo().Mode()); err != nil {
			t.Fatal(err)
		}
	})
	return file
}

// extract calls each with every file of an image.
func extract(t *testing.T, of v1.Image, each func(*tar.Header, io.Reader)) {
	t.Helper()
	files := mutate.Extract(of)
	defer files.Close()
	for archive := tar.NewReader(files); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		each(header, archive)
	}
}
