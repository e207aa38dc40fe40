package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"trainbooking.dev/tools/release/root"
)

// user is the user and the group of the programs.
const user = 65532

// searchPath is what Docker sets if no base has set it.
const searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// image is what an image has besides root.Files. The Dockerfile has the same.
type image struct {
	name    string // of the repository
	program string
	title   string
	data    bool // it has the directory /data
	config  v1.Config
}

var images = []image{
	{
		name: "trainbooking", program: "trainbooking", title: "Trainbooking", data: true,
		config: v1.Config{
			Env:          []string{"TRAINBOOKING_DATA_DIR=/data"},
			Volumes:      map[string]struct{}{"/data": {}},
			ExposedPorts: map[string]struct{}{"8080/tcp": {}, "9090/tcp": {}, "8090/tcp": {}},
			Healthcheck: &v1.HealthConfig{
				Test: []string{"CMD", "/trainbooking", "healthcheck"}, Interval: 10 * time.Second,
				Timeout: 6 * time.Second, StartPeriod: 30 * time.Second,
			},
			Cmd: []string{"serve"},
		},
	},
	{
		name: "trainbooking-operator", program: "operator", title: "Trainbooking operator",
		config: v1.Config{ExposedPorts: map[string]struct{}{"8443/tcp": {}, "8081/tcp": {}}},
	},
}

// writeImages writes an archive with the OCI image layout of each image, for every platform with
// Linux.
func (r *release) writeImages() error {
	for i := range images {
		index, err := r.index(&images[i])
		if err != nil {
			return fmt.Errorf("image %s: %w", images[i].name, err)
		}
		dir, err := os.MkdirTemp(r.binaries, "layout-")
		if err != nil {
			return err
		}
		if err := writeLayout(dir, index, r.version); err != nil {
			return err
		}
		if err := r.archiveLayout(dir, fmt.Sprintf("%s-%s.oci.tar", images[i].name, r.version)); err != nil {
			return err
		}
	}
	return nil
}

// writeLayout writes a layout that has index under the name version.
func writeLayout(dir string, index v1.ImageIndex, version string) error {
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	return path.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": version}))
}

func (r *release) index(im *image) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range r.platforms {
		if p.os() != "linux" {
			continue
		}
		built, err := r.image(im, p)
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: built, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.os(), Architecture: p.arch()}},
		})
	}
	return mutate.Annotations(index, r.labels(im)).(v1.ImageIndex), nil
}

func (r *release) image(im *image, p platform) (v1.Image, error) {
	program, err := os.ReadFile(r.binary(im.program, p))
	if err != nil {
		return nil, err
	}
	config := im.config
	config.User, config.Labels = fmt.Sprintf("%d:%d", user, user), r.labels(im)
	config.Entrypoint, config.Env = []string{"/" + im.program}, append([]string{searchPath}, im.config.Env...)
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	built, err := mutate.ConfigFile(base, &v1.ConfigFile{
		OS: p.os(), Architecture: p.arch(), Created: v1.Time{Time: r.time}, Config: config,
		RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	type layer struct {
		owner int
		files []root.File
	}
	layers := []layer{{0, root.Files()}, {0, []root.File{{Path: im.program, Mode: 0o755, Content: program}}}}
	if im.data { // a new volume gets the owner of the directory that it is mounted on
		layers = append(layers, layer{user, []root.File{{Path: "data", Mode: fs.ModeDir | 0o755}}})
	}
	for _, l := range layers {
		if built, err = r.addLayer(built, l.owner, l.files); err != nil {
			return nil, err
		}
	}
	return built, nil
}

func (r *release) addLayer(to v1.Image, owner int, files []root.File) (v1.Image, error) {
	var archive bytes.Buffer
	if err := writeTar(&archive, r.time, owner, files); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
	if err != nil {
		return nil, err
	}
	return mutate.Append(to, mutate.Addendum{
		Layer: layer, History: v1.History{Created: v1.Time{Time: r.time}, CreatedBy: "tools/release"},
	})
}

func (r *release) labels(im *image) map[string]string {
	return map[string]string{
		"org.opencontainers.image.title":    im.title,
		"org.opencontainers.image.version":  r.version,
		"org.opencontainers.image.revision": r.revision,
		"org.opencontainers.image.created":  r.time.Format(time.RFC3339),
		"org.opencontainers.image.licenses": "Apache-2.0",
	}
}

// archiveLayout writes the files of a layout to an archive in dist.
func (r *release) archiveLayout(dir, name string) (err error) {
	var files []root.File
	err = filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == dir {
			return err
		}
		f := root.File{Path: path[len(dir)+1:], Mode: 0o644}
		if entry.IsDir() {
			f.Mode = fs.ModeDir | 0o755
		} else if f.Content, err = os.ReadFile(path); err != nil {
			return err
		}
		files = append(files, f)
		return nil
	})
	if err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(r.dist, name))
	if err != nil {
		return err
	}
	err = writeTar(file, r.time, 0, files)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	return err
}
