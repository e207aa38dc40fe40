package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/semver"
)

// commit is the commit that is checked out.
type commit struct {
	root     string // the checkout's directory
	revision string
	time     time.Time
}

func findCommit() (commit, error) {
	root, err := git("rev-parse", "--show-toplevel")
	if err != nil {
		return commit{}, err
	}
	line, err := git("log", "-1", "--format=%H %ct")
	if err != nil {
		return commit{}, err
	}
	revision, at, _ := strings.Cut(line, " ")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return commit{}, fmt.Errorf("time of the commit: %w", err)
	}
	return commit{root, revision, time.Unix(seconds, 0).UTC()}, nil
}

// git returns what git prints, without the last line break.
func git(args ...string) (string, error) {
	command := exec.Command("git", args...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w", args[0], err)
	}
	return strings.TrimSuffix(string(out), "\n"), nil
}

// check returns the notes, or every reason why the commit cannot be released as the version.
func (r *release) check() ([]byte, error) {
	if !semver.IsValid("v"+r.version) || strings.Count(r.version, ".") < 2 || strings.Contains(r.version, "+") {
		return nil, fmt.Errorf("%q is not a semantic version without +, such as 1.2.3 or 1.3.0-rc.1", r.version)
	}
	var problems []error
	changed, err := git("status", "--porcelain")
	if err != nil {
		return nil, err
	}
	if changed != "" {
		problems = append(problems, fmt.Errorf("the working tree is not clean:\n%s", changed))
	}
	tags, err := git("tag", "--points-at", "HEAD")
	if err != nil {
		return nil, err
	}
	if !slices.Contains(strings.Split(tags, "\n"), "v"+r.version) {
		problems = append(problems, fmt.Errorf("the commit has no tag v%s", r.version))
	}
	changelog, err := os.ReadFile(filepath.Join(r.root, "CHANGELOG.md"))
	if err != nil {
		return nil, err
	}
	section := notes(string(changelog), r.version)
	if section == "" {
		problems = append(problems, fmt.Errorf("CHANGELOG.md has no section [%s], or it is empty", r.version))
	}
	return []byte(section), errors.Join(problems...)
}

// notes returns the text below the heading of a version, without the heading. A heading is
// `## [1.2.3]`, with or without a date.
func notes(changelog, version string) string {
	var section []string
	found := false
	for line := range strings.Lines(changelog) {
		if strings.HasPrefix(line, "## ") {
			found = strings.HasPrefix(line, "## ["+version+"]")
		} else if found {
			section = append(section, line)
		}
	}
	text := strings.TrimSpace(strings.Join(section, ""))
	if text == "" {
		return ""
	}
	return text + "\n"
}
