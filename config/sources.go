package config

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// prefix is the prefix of the names of our environment variables.
const prefix = "TRAINBOOKING_"

// configFlag names the file. It is not a setting, so a file cannot name another file.
const configFlag = "config"

// Sources has the settings of the environment and the file.
type Sources struct {
	known    []string // the names of all settings
	environ  []string
	env      map[string]string // by flag name
	file     map[string]string // by flag name
	path     string            // of the file
	problems Problems
}

// NewSources returns the Sources of a process with this environment (os.Environ). The flag
// --config or TRAINBOOKING_CONFIG names the file.
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

// AddFlags adds the flag that names the file.
func (s *Sources) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&s.path, configFlag, "", "A YAML `FILE` with settings; see config/example.yaml.")
}

// Apply sets those flags of a parsed command line that were not given, from the environment or
// the file. A flag keeps its default if its value has the wrong type, so that the other settings
// are validated too; Problems has a message then.
func (s *Sources) Apply(f *pflag.FlagSet) {
	if s.path == "" {
		s.path = s.env[configFlag]
	}
	if s.path != "" {
		s.file, s.problems = readFile(s.path, s.known)
	}
	f.VisitAll(func(flag *pflag.Flag) {
		if value, origin, ok := s.lookup(flag.Name); ok && !flag.Changed {
			s.set(flag, value, origin)
		}
	})
}

func (s *Sources) set(flag *pflag.Flag, value, origin string) {
	kind := flag.Value.Type()
	text := value
	if kind == "bool" {
		text = boolOf(value)
	}
	if flag.Value.Set(text) == nil {
		return
	}
	s.problems.add("%s %q is not %s", origin, value, typeNames[kind])
	_ = flag.Value.Set(flag.DefValue)
}

// boolOf also accepts the words of YAML 1.1 for true and false.
func boolOf(value string) string {
	switch strings.ToLower(value) {
	case "yes":
		return "true"
	case "no":
		return "false"
	}
	return value
}

var typeNames = map[string]string{
	"bool":     "true or false",
	"int":      "a whole number",
	"duration": "a time such as 90s, 3m or 24h",
}

// Problems returns the problems of the environment and the file: unknown keys, values of
// the wrong type, an unreadable file. Call it after Apply.
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

// settings returns the names of all settings.
func settings() []string {
	var names []string
	f := newFlags()
	new(Config).AddFlags(f)
	f.VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	return names
}

func flagName(variable string) string {
	return strings.ToLower(strings.ReplaceAll(variable, "_", "-"))
}
