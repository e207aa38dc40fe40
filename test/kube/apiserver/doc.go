// Package apiserver starts a real Kubernetes API server for tests and stops it.
//
//	Shared(t)     the server of the test binary, started at the first call
//	Start(t)      a server of the test's own, for tests of cluster-wide objects
//	Namespace(t)  a new namespace on a server
//
// envtest starts kube-apiserver and etcd as in production: schemas, CEL rules, admission, RBAC
// and Pod Security are real. There are no controllers and no nodes: a Deployment creates no
// pods, there is no garbage collection, and the deletion of a namespace never completes.
//
// # Processes
//
//	test binary ── FIFO ──▶ sh ──▶ etcd
//	                  └───▶ sh ──▶ kube-apiserver
//
// Each runs under a shell that reads from a FIFO. When the test ends or the test binary is
// killed, the FIFO closes, and the shell kills its program and removes their directory. No
// TestMain is needed.
//
// # Failure
//
// A missing program fails the test with the command that builds it (make kube-tools), and a
// program that does not start fails it with its output.
package apiserver
