package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestTwoReleasesOfACommitAreTheSame(t *testing.T) {
	t.Parallel()
	first := read(t, released(t), "SHA256SUMS")
	checkout := filepath.Join(t.TempDir(), "a", "directory", "with", "another", "name")
	clone(t, checkout)
	release(t, checkout, "TZ=Asia/Kolkata", "GOAMD64=v3", "GOFLAGS=-buildmode=pie")
	second := read(t, filepath.Join(checkout, "dist"), "SHA256SUMS")
	if first != second {
		t.Errorf("the files differ:\n%s\n%s", first, second)
	}
}

func TestSumsAreThoseOfEveryOtherFile(t *testing.T) {
	t.Parallel()
	dist := released(t)
	run(t, dist, nil, "sha256sum", "--check", "--strict", "SHA256SUMS")
	names := []string{"SHA256SUMS"}
	for line := range strings.Lines(read(t, dist, "SHA256SUMS")) {
		names = append(names, strings.Fields(line)[1])
	}
	for _, want := range []string{
		"release-notes.md", "trainbooking-1.2.3.oci.tar", "trainbooking-1.2.3.tgz", "trainbooking-operator-1.2.3.oci.tar",
		"trainbooking_1.2.3_linux_amd64.cdx.json", "trainbooking_1.2.3_linux_amd64.tar.gz",
		"operator_1.2.3_linux_amd64.cdx.json", "operator_1.2.3_linux_amd64.tar.gz",
		"kubectl-trains_1.2.3_linux_amd64.tar.gz", "trainbooking-crds-1.2.3.tgz",
	} {
		if !slices.Contains(names, want) {
			t.Errorf("there is no %s among %s", want, names)
		}
	}
	entries, err := os.ReadDir(dist)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != len(names) {
		t.Errorf("%d files, but %d names", len(entries), len(names))
	}
}

func TestNotesAreTheSectionOfTheVersion(t *testing.T) {
	t.Parallel()
	if got := read(t, released(t), "release-notes.md"); got != "- New things.\n" {
		t.Errorf("got %q", got)
	}
}

func TestArchiveHasTheProgramAndTheLicense(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"trainbooking", "operator"} {
		archive := filepath.Join(released(t), name+"_1.2.3_linux_amd64.tar.gz")
		if got := run(t, ".", nil, "tar", "tzf", archive); got != "LICENSE\n"+name+"\n" {
			t.Errorf("%s contains %s", name, got)
		}
		dir := t.TempDir()
		run(t, dir, nil, "tar", "xzf", archive)
		if got := run(t, dir, nil, "./"+name, "--help"); !strings.Contains(got, name) {
			t.Errorf("%s --help: %s", name, got)
		}
	}
}

func TestSBOMListsWhatTheProgramWasBuiltFrom(t *testing.T) {
	t.Parallel()
	var document struct {
		BOMFormat  string
		Metadata   map[string]json.RawMessage
		Components []struct{ Name string }
	}
	if err := json.Unmarshal([]byte(read(t, released(t), "trainbooking_1.2.3_linux_amd64.cdx.json")), &document); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range document.Components {
		names = append(names, c.Name)
	}
	for _, want := range []string{"std", "modernc.org/sqlite", "github.com/jackc/pgx/v5"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not among %s", want, names)
		}
	}
	if document.BOMFormat != "CycloneDX" || !strings.Contains(string(document.Metadata["component"]), `"v1.2.3"`) {
		t.Errorf("got %s, about %s", document.BOMFormat, document.Metadata["component"])
	}
}

func TestChartInstallsTheImagesOfTheRelease(t *testing.T) {
	t.Parallel()
	got := run(t, ".", nil, *helm, "template", "booking", filepath.Join(released(t), "trainbooking-1.2.3.tgz"),
		"--set", "jwtSecret.existingSecret=a", "--set", "serviceToken.existingSecret=b")
	if !strings.Contains(got, "trainbooking:1.2.3") {
		t.Error("no manifest has the image trainbooking:1.2.3")
	}
	listed := run(t, ".", nil, *helm, "show", "chart", filepath.Join(released(t), "trainbooking-1.2.3.tgz"))
	for _, want := range []string{"image: trainbooking:1.2.3\n", "image: trainbooking-operator:1.2.3\n"} {
		if !strings.Contains(listed, want) {
			t.Errorf("Artifact Hub does not get %q of\n%s", want, listed)
		}
	}
}

func TestOnlyATaggedCommitWithNotesIsReleased(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		version, changelog, file, tag, want string
	}{
		"no version":      {"3b19f3e", "## [1.2.3]\n\n- New.\n", "", "v1.2.3", `"3b19f3e" is not a semantic version`},
		"half a version":  {"1.2", "## [1.2]\n\n- New.\n", "", "v1.2", `"1.2" is not a semantic version`},
		"build metadata":  {"1.2.3+a", "## [1.2.3+a]\n\n- New.\n", "", "v1.2.3+a", `"1.2.3+a" is not a semantic version`},
		"no tag":          {"1.2.3", "## [1.2.3]\n\n- New.\n", "", "v1.2.2", "the commit has no tag v1.2.3"},
		"a changed file":  {"1.2.3", "## [1.2.3]\n\n- New.\n", "new.go", "v1.2.3", "the working tree is not clean:\n?? new.go"},
		"no section":      {"1.2.3", "## [1.2.30]\n\n- New.\n", "", "v1.2.3", "CHANGELOG.md has no section [1.2.3]"},
		"an empty one":    {"1.2.3", "## [1.2.3]\n\n## [1.2.2]\n\n- Old.\n", "", "v1.2.3", "CHANGELOG.md has no section [1.2.3]"},
		"several reasons": {"1.2.3", "", "new.go", "v1.2.2", "the commit has no tag v1.2.3\nCHANGELOG.md has no section"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			run(t, dir, nil, "git", "init", "--quiet")
			write(t, filepath.Join(dir, "CHANGELOG.md"), test.changelog)
			commit(t, dir)
			run(t, dir, nil, "git", "tag", test.tag)
			if test.file != "" {
				write(t, filepath.Join(dir, test.file), "package new\n")
			}
			command := exec.Command(program, "-version", test.version)
			command.Dir = dir
			out, err := command.CombinedOutput()
			if err == nil || !strings.Contains(string(out), test.want) {
				t.Errorf("%v, %s", err, out)
			}
			if _, err := os.Stat(filepath.Join(dir, "dist")); err == nil {
				t.Error("there is a dist")
			}
		})
	}
}

func read(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
