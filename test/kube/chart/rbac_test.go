package chart_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"trainbooking.dev/test/kube/apiserver"
	"trainbooking.dev/test/kube/tools"
)

// The rights of the operator: in the namespaces that it watches, in its own namespace for leader
// election, and everywhere for the authorization of metrics.
var (
	trainRights = []string{
		"trains.trainbooking.dev [get list watch patch]",
		"trains.trainbooking.dev/finalizers [update]",
		"trains.trainbooking.dev/status [patch]",
		"trainschedules.trainbooking.dev [get list watch patch]",
		"trainschedules.trainbooking.dev/finalizers [update]",
		"trainschedules.trainbooking.dev/status [patch]",
		"events.events.k8s.io [create patch]",
	}
	leaseRights = []string{
		"leases.coordination.k8s.io [create]",
		"leases.coordination.k8s.io (booking-trainbooking-operator) [get update patch]",
		"leases.coordination.k8s.io (operator.trainbooking.dev) [get update patch]",
	}
	reviewRights = []string{
		"subjectaccessreviews.authorization.k8s.io [create]",
		"tokenreviews.authentication.k8s.io [create]",
	}
)

func TestOperatorHasExactlyTheRightsThatItNeeds(t *testing.T) {
	t.Parallel()
	server := apiserver.Shared(t)
	home, watched, other := server.Namespace(t, nil), server.Namespace(t, nil), server.Namespace(t, nil)
	for name, c := range map[string]struct {
		values               []string
		home, watched, other []string
	}{
		"everywhere": {
			home:    slices.Concat(trainRights, leaseRights, reviewRights),
			watched: slices.Concat(trainRights, reviewRights),
			other:   slices.Concat(trainRights, reviewRights),
		},
		"in one namespace": {
			values:  []string{"--set", "operator.watchNamespaces={" + watched + "}"},
			home:    slices.Concat(leaseRights, reviewRights),
			watched: slices.Concat(trainRights, reviewRights),
			other:   reviewRights,
		},
	} { // sequentially, because both create the same objects
		rendered := objects(t, render(t, home, c.values...))
		account := operatorAccount(t, rendered)
		roles := rolesOf(t, rendered)
		apply(t, server, "apply", roles)
		require.ElementsMatch(t, c.home, rights(t, server, account, home), name)
		require.ElementsMatch(t, c.watched, rights(t, server, account, watched), name)
		require.ElementsMatch(t, c.other, rights(t, server, account, other), name)
		apply(t, server, "delete", roles)
	}
}

func TestPodsOfTheServiceHaveNoAPIToken(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"everything.yaml", "embedded.yaml"} {
		for _, object := range objects(t, render(t, "rail", "-f", chart(t, "tests", "values", file))) {
			pod := podOf(t, object)
			if pod != nil && object.GetLabels()["app.kubernetes.io/component"] != "operator" {
				mounted, found, err := unstructured.NestedBool(pod, "spec", "automountServiceAccountToken")
				require.NoError(t, err)
				require.True(t, found && !mounted, object.GetName())
			}
		}
	}
}

// operatorAccount returns the user name of the operator.
func operatorAccount(t *testing.T, rendered []*unstructured.Unstructured) string {
	t.Helper()
	for _, object := range rendered {
		if object.GetKind() == "Deployment" && object.GetLabels()["app.kubernetes.io/component"] == "operator" {
			name, _, err := unstructured.NestedString(object.Object, "spec", "template", "spec", "serviceAccountName")
			require.NoError(t, err)
			return "system:serviceaccount:" + object.GetNamespace() + ":" + name
		}
	}
	t.Fatal("no operator is rendered")
	return ""
}

// rolesOf returns the manifests of the roles and bindings.
func rolesOf(t *testing.T, rendered []*unstructured.Unstructured) string {
	t.Helper()
	var roles strings.Builder
	for _, object := range rendered {
		if object.GroupVersionKind().Group == "rbac.authorization.k8s.io" {
			text, err := yaml.Marshal(object.Object)
			require.NoError(t, err)
			fmt.Fprintf(&roles, "---\n%s", text)
		}
	}
	return roles.String()
}

// rights returns the rights of a user in a namespace from kubectl auth can-i --list, as
// "resource (name) [verbs]", without those that every user has.
func rights(t *testing.T, server *apiserver.Server, user, namespace string) []string {
	t.Helper()
	list := func(user string) (all []string) {
		out := tools.Run(t, server.Kubeconfig, "kubectl", "auth", "can-i", "--list", "--no-headers", "--namespace", namespace, "--as", user)
		for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
			// resource [URLs] [names] [verbs], where a list may be empty
			cells := strings.Split(strings.ReplaceAll(line, "]", ""), "[")
			require.Len(t, cells, 4, line)
			for i, cell := range cells {
				cells[i] = strings.TrimSpace(cell)
			}
			right := cells[0] + cells[1]
			if cells[2] != "" {
				right += " (" + cells[2] + ")"
			}
			all = append(all, right+" ["+cells[3]+"]")
		}
		return all
	}
	common := list("system:serviceaccount:" + namespace + ":nobody")
	return slices.DeleteFunc(list(user), func(right string) bool { return slices.Contains(common, right) })
}

// apply applies or deletes manifests.
func apply(t *testing.T, server *apiserver.Server, verb, manifests string, flags ...string) {
	t.Helper()
	command := tools.Command(t, server.Kubeconfig, "kubectl", append([]string{verb, "-f", "-"}, flags...)...)
	command.Stdin = strings.NewReader(manifests)
	out, err := command.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
