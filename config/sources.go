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

// prefix is the prefix of the names of our environment variables.
const prefix = "TRAINBOOKING_"

// configFlag is the flag with the file. It is not a setting, so a file cannot name another.
const configFlag = "config"

// Sources has the settings of the environment and the file. It is one Kong resolver for
// both, because with two the file would take precedence over the environment.
type Sources struct {
	known    []string // the names of all settings
	environ  []string
	env      map[string]string // by flag name
	file     map[string]string // by flag name
	read     sync.Once         // Kong runs its hook several times
	problems Problems
}

var _ kong.Resolver = (*Sources)(nil)

// NewSources returns the Sources of a process with this environment (os.Environ). The file
// is that of the flag --config or of TRAINBOOKING_CONFIG.
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

// Options returns the options of the Kong parser of an application with a Config.
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

// Problems returns the problems of the environment and the file: unknown keys, values of
// the wrong type, an unreadable file. Call it after the command line is parsed.
func (s *Sources) Problems() Problems { return s.problems }

// Warnings returns a message for each variable with our prefix that is not a setting. It
// ignores the variables that Kubernetes sets for a service named trainbooking.
func (s *Sources) Warnings() []string {
	var warnings []string
	for _, variable := range s.environ {
		name, _, _ := strings.Cut(variable, "=")
		key, ours := strings.CutPrefix(name, prefix)
		if !ours || kubernetes.MatchString(key) {
			continue
		}
		if flag := flagName(key); flag != configFlag && !slices.Contains(s.known, flag) {
			warnings = append(warnings, name+" is set but is not a setting; see trainbooking serve --help")
		}
	}
	return warnings
}

var kubernetes = regexp.MustCompile(`^(PORT|SERVICE_HOST|(SERVICE_)?PORT_.*|SERVICE_PORT)$`)

// Validate implements kong.Resolver. See Problems for the problems.
func (s *Sources) Validate(*kong.Application) error { return nil }

// Resolve returns the value of a flag that is not on the command line, from the environment
// or the file. It records a problem for a value of the wrong type and then leaves the flag
// at its default, so that the other settings are validated too.
func (s *Sources) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	value, origin, ok := s.lookup(flag.Name)
	if !ok {
		return nil, nil
	}
	target := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Parse(kong.Scan().PushTyped(value, kong.FlagValueToken), target); err != nil {
		s.problems.add("%s %q is not %s", origin, value, typeName(target.Type()))
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

// readFile runs after the command line is parsed and before flags are resolved.
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

// settings returns the names of all settings, which Kong derives from Config.
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

func typeName(t reflect.Type) string {
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
