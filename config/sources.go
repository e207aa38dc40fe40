package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/alecthomas/kong"
)

// prefix begins the name of every variable that is ours.
const prefix = "TRAINBOOKING_"

// configFlag names the file; it is no setting itself, a file does not name another.
const configFlag = "config"

// Sources are the settings of the environment and of the file. Kong's own order puts a
// file above the environment; Sources is one resolver for both, so that ours holds.
type Sources struct {
	known    []string // the names of all settings
	environ  []string
	env      map[string]string // by flag name
	file     map[string]string // by flag name
	read     sync.Once         // Kong runs a hook once for each part of the command line
	problems Problems
}

var _ kong.Resolver = (*Sources)(nil)

// NewSources returns the sources of a process with that environment (os.Environ). The
// file is the one that the application's flag --config or TRAINBOOKING_CONFIG names.
func NewSources(environ []string) *Sources {
	s := &Sources{known: settings(), environ: environ, env: map[string]string{}}
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		if key, ours := strings.CutPrefix(name, prefix); ours && value != "" {
			s.env[flagName(key)] = value
		}
	}
	return s
}

// Options returns what the parser of an application with a Config needs.
func (s *Sources) Options() []kong.Option {
	return []kong.Option{
		kong.Vars(Vars()),
		kong.Resolvers(s),
		kong.WithBeforeResolve(func(ctx *kong.Context) error {
			s.read.Do(func() { s.readFile(ctx) })
			return nil
		}),
	}
}

// Problems returns what is wrong in the environment and the file: a key that is no
// setting, a value of the wrong kind, a file that cannot be read. Complete once the
// command line is parsed.
func (s *Sources) Problems() Problems { return s.problems }

// Warnings returns a sentence for each variable that looks like ours and is no setting.
// Kubernetes puts the address of a service called trainbooking into variables of this
// form; those are passed over.
func (s *Sources) Warnings() []string {
	var warnings []string
	for _, variable := range s.environ {
		name, _, _ := strings.Cut(variable, "=")
		key, ours := strings.CutPrefix(name, prefix)
		if !ours || kubernetes.MatchString(key) {
			continue
		}
		if flag := flagName(key); flag != configFlag && !slices.Contains(s.known, flag) {
			warnings = append(warnings, name+" is set but is no setting; see trainbooking serve --help")
		}
	}
	return warnings
}

var kubernetes = regexp.MustCompile(`^(PORT|SERVICE_HOST|(SERVICE_)?PORT_.*|SERVICE_PORT)$`)

// Validate is for Kong; Problems says what is wrong.
func (s *Sources) Validate(*kong.Application) error { return nil }

// Resolve returns the value of a flag that is not on the command line: the
// environment's, else the file's. A value of the wrong kind becomes a problem, and the
// flag keeps its default so that the other settings are looked at too.
func (s *Sources) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, origin, ok := s.lookup(flag.Name)
	if !ok {
		return nil, nil
	}
	trial := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Parse(kong.Scan().PushTyped(value, kong.FlagValueToken), trial); err != nil {
		s.problems.add("%s %q cannot be read as %s", origin, value, kind(trial.Type()))
		return nil, nil
	}
	return value, nil
}

func (s *Sources) lookup(flag string) (value, origin string, ok bool) {
	if !slices.Contains(s.known, flag) {
		return "", "", false
	}
	if value, ok = s.env[flag]; ok {
		return value, prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_")), true
	}
	value, ok = s.file[flag]
	return value, flag, ok
}

// readFile runs when the command line is parsed and nothing is resolved yet.
func (s *Sources) readFile(ctx *kong.Context) {
	path := s.env[configFlag]
	for _, flag := range ctx.Flags() {
		if given, ok := ctx.FlagValue(flag).(string); ok && flag.Name == configFlag && given != "" {
			path = given
		}
	}
	if path != "" {
		s.file, s.problems = readFile(path, s.known)
	}
}

// settings returns the name of every setting, as Kong makes it from the Config.
func settings() []string {
	var names []string
	for _, flag := range kong.Must(&Config{}, kong.Vars(Vars()), kong.NoDefaultHelp()).Model.Flags {
		names = append(names, flag.Name)
	}
	return names
}

func flagName(variable string) string {
	return strings.ToLower(strings.ReplaceAll(variable, "_", "-"))
}

func kind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Int64:
		return "a time such as 90s, 3m or 24h"
	default:
		return fmt.Sprint(t)
	}
}
