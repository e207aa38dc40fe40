package main_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

var (
	tags = flag.String("build-tags", "", "the build tags of a release")
	helm = flag.String("helm", "", "the file of helm")
	sbom = flag.String("cyclonedx-gomod", "", "the file of cyclonedx-gomod")
)

// program is the file of the command, which TestMain builds.
var program string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(build(m))
}

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "release-test-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program = filepath.Join(dir, "release")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	shared.dir = dir
	return m.Run()
}

// shared is the release that most tests look at.
var shared struct {
	once sync.Once
	dir  string
	dist string
}

// released returns the directory dist of a release of the last commit as 1.2.3, for linux/amd64.
func released(t *testing.T) string {
	t.Helper()
	shared.once.Do(func() {
		checkout := filepath.Join(shared.dir, "first")
		clone(t, checkout)
		release(t, checkout)
		shared.dist = filepath.Join(checkout, "dist")
	})
	if shared.dist == "" {
		t.Fatal("the release failed in another test")
	}
	return shared.dist
}

// clone makes a checkout of the last commit in which 1.2.3 can be released.
func clone(t *testing.T, dir string) {
	t.Helper()
	run(t, ".", nil, "git", "-c", "safe.directory=*", "clone", "--quiet", filepath.Join("..", ".."), dir)
	changelog := filepath.Join(dir, "CHANGELOG.md")
	text, err := os.ReadFile(changelog)
	if err != nil {
		t.Fatal(err)
	}
	write(t, changelog, strings.Replace(string(text), "## [Unreleased]", "## [1.2.3] - 2026-01-01\n\n- New things.\n\n## [Before]", 1))
	commit(t, dir)
	run(t, dir, nil, "git", "tag", "v1.2.3")
}

// commit commits everything as it does elsewhere, so that the commit has the same id.
func commit(t *testing.T, dir string) {
	t.Helper()
	run(t, dir, nil, "git", "add", "--all")
	run(t, dir, []string{
		"GIT_AUTHOR_DATE=2026-01-01T00:00:00Z", "GIT_COMMITTER_DATE=2026-01-01T00:00:00Z",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
	}, "git", "commit", "--quiet", "--message", "Release 1.2.3")
}

func release(t *testing.T, checkout string, environ ...string) {
	t.Helper()
	run(t, checkout, environ, program, "-version", "1.2.3", "-tags", *tags, "-helm", *helm, "-cyclonedx-gomod", *sbom,
		"-platforms", "linux/amd64")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// run returns the output of a command that must succeed.
func run(t *testing.T, dir string, environ []string, name string, args ...string) string {
	t.Helper()
	command := exec.Command(name, args...)
	command.Dir, command.Env = dir, append(os.Environ(), environ...)
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), args[0], err, out)
	}
	return string(out)
}
