//go:build e2e

package e2e_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"trainbooking.dev/test/processtest"
)

// besideAnother installs a second release in the namespace, with HTTPS, and uninstalls it. Each service sells
// only the trains of its class. When both operators have the same class, no train moves to the other service.
func (r *release) besideAnother() {
	r.t.Helper()
	second := &release{t: r.t, name: "second", namespace: r.namespace}
	authority := second.createCertificate("second-tls")
	second.install("--set", "crds.enabled=false", "--set", "persistence.enabled=false", "--set", "tls.existingSecret=second-tls",
		"--set", "operator.class=regional")
	second.helm("test", second.name, "--timeout", timeout.String())
	first, other := newLister(r.t, r.forward(), nil), newLister(r.t, second.forward(), authority.Pool())
	r.apply("apply", trainOfClass("intercity", ""))
	r.apply("apply", trainOfClass("regional", "regional"))
	r.kubectl("wait", "train", "intercity", "regional", "--for", "condition=Ready", "--timeout", timeout.String())
	require.Equal(r.t, r.namespace+"/"+r.fullname(), r.serviceOf("intercity"))
	require.Equal(r.t, r.namespace+"/"+second.fullname(), r.serviceOf("regional"))
	require.Contains(r.t, first(), "intercity")
	require.NotContains(r.t, first(), "regional")
	require.Equal(r.t, []string{"regional"}, other())

	r.kubectl("delete", "train", "regional", "--timeout", timeout.String())
	second.upgrade("--set", "operator.class=")
	r.kubectl("wait", "train", "intercity", "--for", "condition=Stalled", "--timeout", timeout.String())
	r.t.Log(r.kubectl("get", "trains", "-o", "wide"))
	require.Equal(r.t, r.namespace+"/"+r.fullname(), r.serviceOf("intercity"))
	require.Contains(r.t, first(), "intercity")
	require.NotContains(r.t, other(), "intercity")
	second.helm("uninstall", second.name, "--wait", "--timeout", timeout.String())
	r.kubectl("wait", "train", "intercity", "--for", "condition=Ready", "--timeout", timeout.String())
	r.kubectl("delete", "secret", "second-tls")
}

// createCertificate creates a Secret with a certificate of the service.
func (r *release) createCertificate(secret string) *processtest.Authority {
	r.t.Helper()
	authority := processtest.NewAuthority(r.t)
	certificate, key := authority.Issue(r.t, r.fullname()+"."+r.namespace+".svc")
	r.kubectl("create", "secret", "generic", secret,
		"--from-file=ca.crt="+authority.File, "--from-file=tls.crt="+certificate, "--from-file=tls.key="+key)
	return authority
}

// trainOfClass returns the manifest of a train with a name and, unless it is "", a class.
func trainOfClass(name, class string) string {
	if class != "" {
		class = fmt.Sprintf(`"class": %q,`, class)
	}
	return fmt.Sprintf(`{
		"apiVersion": "trainbooking.dev/v1alpha1", "kind": "Train", "metadata": {"name": %q},
		"spec": {%s "name": %[1]q, "capacity": 10, "stops": [{"station": "Harbour"}, {"station": "Market"}]}}`, name, class)
}

func (r *release) serviceOf(train string) string {
	r.t.Helper()
	return r.kubectl("get", "train", train, "-o", "jsonpath={.status.service}")
}

// newLister returns a function that returns the names of the trains that a service lists. authorities sign its
// certificate, if it has one.
func newLister(t *testing.T, address string, authorities *x509.CertPool) (list func() []string) {
	t.Helper()
	transport, scheme := &http.Transport{}, "http://"
	if authorities != nil {
		scheme, transport.TLSClientConfig = "https://", &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS13}
	}
	sender := &http.Client{Timeout: processtest.Timeout, Transport: transport}
	return func() (names []string) {
		t.Helper()
		response, err := sender.Get(scheme + address + "/v1/trains")
		require.NoError(t, err)
		defer response.Body.Close()
		require.Equal(t, http.StatusOK, response.StatusCode)
		var list struct {
			Items []struct{ Name string }
		}
		require.NoError(t, json.NewDecoder(response.Body).Decode(&list))
		for _, train := range list.Items {
			names = append(names, train.Name)
		}
		return names
	}
}
