package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// platform is an operating system and an architecture, as in linux/amd64.
type platform string

func (p platform) os() string   { name, _, _ := strings.Cut(string(p), "/"); return name }
func (p platform) arch() string { _, name, _ := strings.Cut(string(p), "/"); return name }

// binary returns the file of a program.
func (r *release) binary(program string, p platform) string {
	return filepath.Join(r.binaries, string(p), program)
}

// name returns how files about a program for a platform are called, without what follows the last
// dot.
func (r *release) name(program string, p platform) string {
	return fmt.Sprintf("%s_%s_%s_%s", program, r.version, p.os(), p.arch())
}

// build builds every program in cmd/ for every platform.
func (r *release) build() error {
	mains, err := filepath.Glob(filepath.Join(r.root, "cmd", "*", "main.go"))
	if err != nil {
		return err
	}
	args := []string{
		"build", "-trimpath", "-buildvcs=false", "-tags", r.tags,
		"-ldflags", fmt.Sprintf("-s -w -X main.version=%s -X main.commit=%s", r.version, r.revision), "-o",
	}
	var packages []string
	for _, file := range mains {
		name := filepath.Base(filepath.Dir(file))
		r.programs = append(r.programs, name)
		packages = append(packages, "./cmd/"+name)
	}
	for _, p := range r.platforms {
		environ := []string{
			"CGO_ENABLED=0", "GOOS=" + p.os(), "GOARCH=" + p.arch(),
			"GOENV=off", "GOFLAGS=", "GOEXPERIMENT=", "GOAMD64=", "GOARM64=", // whatever the machine prefers
		}
		err := r.tool(environ, "go", append(append(args, r.binary("", p)+"/"), packages...)...)
		if err != nil {
			return err
		}
	}
	return nil
}

// tool runs a program in the checkout.
func (r *release) tool(environ []string, name string, args ...string) error {
	command := exec.Command(name, args...)
	command.Dir, command.Env = r.root, append(os.Environ(), environ...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", filepath.Base(name), args[0], err)
	}
	return nil
}
