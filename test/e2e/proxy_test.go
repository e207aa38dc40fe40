//go:build e2e

package e2e_test

import (
	"fmt"

	"github.com/stretchr/testify/require"
)

// proxy is an HTTP proxy in the namespace that logs the headers of each request and refuses it.
type proxy struct{ r *release }

func (r *release) startProxy() proxy {
	r.t.Helper()
	r.apply("create", manifests(r.t, "proxy.yaml", map[string]string{"IMAGE": *postgres}))
	r.kubectl("wait", "pod", "proxy", "--for", "condition=Ready", "--timeout", timeout.String())
	return proxy{r}
}

// environment returns the flags that set the variables of the proxy in each container, as some companies do in
// all pods. The API server is reached without it.
func (p proxy) environment() (flags []string) {
	for _, value := range []string{"extraEnv", "operator.extraEnv"} {
		flags = append(flags, "--set-json", fmt.Sprintf(`%s=[
			{"name": "HTTP_PROXY", "value": "http://proxy:3128"}, {"name": "HTTPS_PROXY", "value": "http://proxy:3128"},
			{"name": "NO_PROXY", "value": "$(KUBERNETES_SERVICE_HOST)"}]`, value))
	}
	return flags
}

// requireUnused requires that the proxy received no request but the one that is sent here.
func (p proxy) requireUnused() {
	p.r.t.Helper()
	p.r.kubectl("exec", "proxy", "--", "bash", "-c",
		`exec 3<>/dev/tcp/proxy/3128; printf 'GET http://example.org/ HTTP/1.1\r\n\r\n' >&3; read -r <&3`)
	require.Equal(p.r.t, "GET http://example.org/ HTTP/1.1", p.r.kubectl("logs", "proxy"))
}
