package postgres

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"trainbooking.dev/persistence"
)

// errMalformed is the only error for a URL that cannot be parsed, because any part of it may be a part
// of the password, and the driver's errors quote the URL.
var errMalformed = errors.New("it is not postgres://user:password@host:port/database, or a variable of libpq (PG…) is wrong; " +
	"in a URL, characters such as / @ or % in the password must be percent-encoded (%2F %40 %25)")

// parse parses a URL or a keyword/value string of libpq, adds the files, and completes the sessions'
// settings with complete. Its errors quote nothing of the text. The warnings are about parameters
// that have no effect.
func parse(text string, files persistence.TLSFiles, complete func(*pgx.ConnConfig)) (config *pgxpool.Config, warnings []string, err error) {
	parameters, err := parametersOf(text)
	if err != nil {
		return nil, nil, err
	}
	warnings, err = check(parameters)
	if err != nil {
		return nil, nil, err
	}
	added, err := tlsParameters(parameters, files)
	if err != nil {
		return nil, nil, err
	}
	config, err = pgxpool.ParseConfig(extend(text, added)) // it reads the files
	if err != nil {
		return nil, nil, malformed(append(parameters, added...))
	}
	c := config.ConnConfig
	if strings.Contains(c.Host, "@") && !strings.HasPrefix(c.Host, "@") || strings.Contains(c.User+c.Database, "://") {
		return nil, nil, errMalformed
	}
	for _, p := range parameters {
		if _, ignored := libpqOnly[p.name]; ignored {
			delete(c.RuntimeParams, p.name)
		}
	}
	complete(c)
	return config, warnings, nil
}

// parameter is a parameter of a URL or of a keyword/value string.
type parameter struct{ name, value string }

var (
	netloc  = regexp.MustCompile(`^[A-Za-z0-9_.,:%\[\]-]*$`)
	keyword = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)
	word    = regexp.MustCompile(`\s*([^\s=]+)\s*=\s*('(?:[^'\\]|\\.)*'|(?:[^\s\\]|\\.)*)\s*`)
)

// parametersOf returns the parameters in their order. It returns errMalformed if a part of a password
// may have been taken for something else.
func parametersOf(text string) (all []parameter, err error) {
	rest, isURL := cutScheme(text)
	if isURL {
		all, err = queryOf(rest)
	} else {
		all, err = wordsOf(text)
	}
	for _, p := range all {
		if !keyword.MatchString(p.name) || strings.ContainsRune(p.value, 0) {
			return nil, errMalformed
		}
	}
	return all, err
}

func cutScheme(text string) (rest string, isURL bool) {
	if rest, isURL = strings.CutPrefix(text, "postgres://"); isURL {
		return rest, true
	}
	return strings.CutPrefix(text, "postgresql://")
}

// queryOf returns the parameters of a URL without its scheme. As for libpq, the user and password
// end with the first @ before the first slash.
func queryOf(rest string) (all []parameter, err error) {
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	address, query, _ := strings.Cut(rest, "?")
	hosts, database, _ := strings.Cut(address, "/")
	if !netloc.MatchString(hosts) || strings.Contains(database, "@") {
		return nil, errMalformed
	}
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		decoded, err := url.PathUnescape(value)
		if _, known := ofDriver[name]; err != nil || strings.Contains(value, "@") && !known {
			return nil, errMalformed
		}
		all = append(all, parameter{name, decoded})
	}
	return all, nil
}

// wordsOf returns the parameters of a keyword/value string.
func wordsOf(text string) (all []parameter, err error) {
	end := 0
	for _, m := range word.FindAllStringSubmatchIndex(text, -1) {
		if m[0] != end {
			return nil, errMalformed
		}
		end = m[1]
		value := text[m[4]:m[5]]
		if len(value) > 1 && value[0] == '\'' {
			value = value[1 : len(value)-1]
		}
		all = append(all, parameter{text[m[2]:m[3]], value})
	}
	if end != len(text) || len(all) == 0 {
		return nil, errMalformed
	}
	return all, nil
}

// extend adds parameters at the end of a URL or a keyword/value string.
func extend(text string, added []parameter) string {
	_, isURL := cutScheme(text)
	for _, p := range added {
		if !isURL {
			text += " " + p.name + "='" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(p.value) + "'"
			continue
		}
		separator := "?"
		if strings.Contains(text, "?") {
			separator = "&"
		}
		text += separator + p.name + "=" + strings.ReplaceAll(url.QueryEscape(p.value), "+", "%20")
	}
	return text
}

// tlsParameters returns the parameters for the files. With any of them the server must have a valid
// certificate for its name, unless the URL says otherwise.
func tlsParameters(given []parameter, files persistence.TLSFiles) (added []parameter, err error) {
	if files == (persistence.TLSFiles{}) {
		return nil, nil
	}
	mode := valueOf(given, "sslmode")
	for _, f := range []struct{ flag, name, path string }{
		{"--database-tls-ca", "sslrootcert", files.Authority},
		{"--database-tls-cert", "sslcert", files.Certificate},
		{"--database-tls-key", "sslkey", files.Key},
	} {
		if f.path == "" {
			continue
		}
		if valueOf(given, f.name) != "" {
			return nil, fmt.Errorf("%s is set, and the URL has %s too: remove one of them", f.flag, f.name)
		}
		if mode == "disable" || mode == "allow" || mode == "prefer" {
			return nil, fmt.Errorf("%s is set, but sslmode=%s of the URL allows connections without TLS: remove it, or set it to verify-full", f.flag, mode)
		}
		added = append(added, parameter{f.name, f.path})
	}
	if mode == "" {
		added = append(added, parameter{"sslmode", "verify-full"})
	}
	return added, nil
}

func valueOf(all []parameter, name string) (value string) {
	for _, p := range all {
		if p.name == name {
			value = p.value // the last one counts
		}
	}
	return value
}

// malformed returns what is wrong with a URL that the driver refuses: a file, or errMalformed.
func malformed(all []parameter) error {
	for _, name := range []string{"sslrootcert", "sslcert", "sslkey"} {
		path := valueOf(all, name)
		if path == "" || path == "system" {
			continue
		}
		if _, err := os.ReadFile(path); err != nil {
			if inner, ok := errors.AsType[*os.PathError](err); ok {
				err = inner.Err
			}
			return fmt.Errorf("the file of %s cannot be read: %w", titled(name), err)
		}
	}
	for _, name := range []string{"sslrootcert", "sslcert"} {
		if path := valueOf(all, name); path != "" && path != "system" {
			return fmt.Errorf("the files of %s, %s and %s must be in PEM, and the key must be that of the certificate, "+
				"or another part of the URL is wrong", titled("sslrootcert"), titled("sslcert"), titled("sslkey"))
		}
	}
	return errMalformed
}

// titled returns a parameter with the flag that sets it too.
func titled(name string) string {
	return map[string]string{
		"sslrootcert": "--database-tls-ca (sslrootcert)",
		"sslcert":     "--database-tls-cert (sslcert)",
		"sslkey":      "--database-tls-key (sslkey)",
	}[name]
}
