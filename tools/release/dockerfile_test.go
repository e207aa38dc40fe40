//go:build images

package main_test

import (
	"flag"
	"path/filepath"
	"reflect"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

var dockerImages = flag.String("images", "", "a directory with the images of the Dockerfile: service.tar and operator.tar, in the format of docker save")

func TestDockerfileMakesTheImagesOfARelease(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"trainbooking": "service.tar", "trainbooking-operator": "operator.tar"} {
		built, err := tarball.ImageFromPath(filepath.Join(*dockerImages, file), nil)
		if err != nil {
			t.Fatal(err)
		}
		checkContents(t, name, built)
		if got, want := settings(t, built), settings(t, image(t, name)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, not %+v", name, got, want)
		}
	}
}

// settings returns what a container starts with. The format of OCI, in which some tools build, has no
// health check.
func settings(t *testing.T, of v1.Image) v1.Config {
	t.Helper()
	file, err := of.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c := file.Config
	return v1.Config{
		User: c.User, Env: c.Env, Entrypoint: c.Entrypoint, Cmd: c.Cmd, ExposedPorts: c.ExposedPorts, Volumes: c.Volumes,
	}
}
