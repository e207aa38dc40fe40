package postgres

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ofDriver has the parameters that the driver supports, with the permitted values of some.
var ofDriver = map[string][]string{
	"host": nil, "port": nil, "dbname": nil, "database": nil, "user": nil, "password": nil, "passfile": nil,
	"service": nil, "servicefile": nil, "connect_timeout": nil, "options": nil, "application_name": nil,
	"sslkey": nil, "sslcert": nil, "sslrootcert": nil, "sslpassword": nil, "krbspn": nil, "krbsrvname": nil, "require_auth": nil,
	"ssl":                  {"true"},
	"sslmode":              {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"},
	"sslcertmode":          {"disable", "allow", "require"},
	"sslnegotiation":       {"postgres", "direct"},
	"sslsni":               {"0", "1"},
	"channel_binding":      {"disable", "prefer", "require"},
	"min_protocol_version": {"3.0", "3.2", "latest"},
	"max_protocol_version": {"3.0", "3.2", "latest"},
	// The service needs the server that accepts writes.
	"target_session_attrs": {"any", "read-write", "primary"},
}

// libpqOnly has the parameters of libpq that the driver would send to the server, which refuses them,
// each with its values that may be ignored (nil: any) and what to do instead of the other values.
// A parameter that makes a connection safer is never ignored.
var libpqOnly = map[string]struct {
	ignored []string
	instead string
}{
	"keepalives":                {nil, ""},
	"keepalives_idle":           {nil, ""},
	"keepalives_interval":       {nil, ""},
	"keepalives_count":          {nil, ""},
	"tcp_user_timeout":          {nil, ""},
	"sslcompression":            {nil, ""},
	"sslkeylogfile":             {nil, ""},
	"fallback_application_name": {nil, ""},
	"gsslib":                    {nil, ""},
	"gssdelegation":             {[]string{"0"}, "GSSAPI is not supported: remove it"},
	"gssencmode":                {[]string{"disable", "prefer"}, "GSSAPI is not supported: use TLS with sslmode=verify-full"},
	"requiressl":                {[]string{"0"}, "use sslmode=require"},
	"load_balance_hosts":        {[]string{"disable"}, "the hosts are tried in their order: remove it"},
	"ssl_min_protocol_version":  {[]string{"TLSv1", "TLSv1.1", "TLSv1.2"}, "at least TLS 1.2 is used: remove it, and set ssl_min_protocol_version of the server"},
	"ssl_max_protocol_version":  {[]string{"TLSv1.3"}, "remove it, and set ssl_max_protocol_version of the server"},
	"sslcrl":                    {[]string{""}, "lists of revoked certificates are not supported: remove it"},
	"sslcrldir":                 {[]string{""}, "lists of revoked certificates are not supported: remove it"},
	"requirepeer":               {[]string{""}, "it is not supported: remove it"},
	"hostaddr":                  {[]string{""}, "write the address as the host"},
	"replication":               {[]string{"false", "off", "no", "0"}, "the service does not replicate: remove it"},
	"scram_client_key":          {[]string{""}, "use the password"},
	"scram_server_key":          {[]string{""}, "use the password"},
	"oauth_issuer":              {[]string{""}, "OAuth is not supported: use a password or a client certificate"},
	"oauth_client_id":           {[]string{""}, "OAuth is not supported: use a password or a client certificate"},
	"oauth_client_secret":       {[]string{""}, "OAuth is not supported: use a password or a client certificate"},
	"oauth_scope":               {[]string{""}, "OAuth is not supported: use a password or a client certificate"},
}

// check returns what is wrong with the parameters, without their values, and a warning for each that
// is ignored.
func check(all []parameter) (warnings []string, err error) {
	for _, p := range all {
		only, isOnly := libpqOnly[p.name]
		values, isDriver := ofDriver[p.name]
		switch {
		case isOnly && (only.ignored == nil || slices.Contains(only.ignored, p.value)):
			warnings = append(warnings, "the parameter "+p.name+" of the URL of Postgres has no effect; only programs that use libpq have it")
		case isOnly:
			return nil, fmt.Errorf("the parameter %s has a value that this program does not support: %s", p.name, only.instead)
		case isDriver && values != nil && p.value != "" && !slices.Contains(values, p.value):
			return nil, fmt.Errorf("the parameter %s must be one of %s", p.name, strings.Join(values, ", "))
		case strings.HasPrefix(p.name, "pool_"):
			err = checkPool(p)
		case p.name == "connect_timeout" && !isCount(p.value):
			err = fmt.Errorf("the parameter connect_timeout must be a number of seconds")
		case p.name == "port":
			err = checkPorts(p.value)
		}
		if err != nil {
			return nil, err
		}
	}
	return warnings, nil
}

// checkPool checks a parameter of pgxpool, the driver's pool of connections.
func checkPool(p parameter) error {
	switch p.name {
	case "pool_max_conns", "pool_min_conns", "pool_min_idle_conns":
		if n, err := strconv.ParseInt(p.value, 10, 32); err != nil || n < 0 || n == 0 && p.name == "pool_max_conns" {
			return fmt.Errorf("the parameter %s must be a number of connections", p.name)
		}
	case "pool_max_conn_lifetime", "pool_max_conn_idle_time", "pool_health_check_period",
		"pool_max_conn_lifetime_jitter", "pool_ping_timeout":
		if _, err := time.ParseDuration(p.value); err != nil {
			return fmt.Errorf("the parameter %s must be a time such as 30m", p.name)
		}
	}
	return nil
}

func checkPorts(list string) error {
	for port := range strings.SplitSeq(list, ",") {
		if n, err := strconv.ParseUint(port, 10, 16); port != "" && (err != nil || n == 0) {
			return fmt.Errorf("the parameter port must be a number from 1 to 65535 for each host")
		}
	}
	return nil
}

func isCount(text string) bool {
	n, err := strconv.ParseInt(text, 10, 32)
	return err == nil && n >= 0
}
