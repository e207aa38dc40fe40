// Package apiserver starts a real Kubernetes API server for tests, and takes it away.
//
//	Shared(t)     the one of the test binary, which starts at the first call
//	Start(t)      one of the test's own, for what belongs to a whole cluster
//	Namespace(t)  a namespace of the test's own in it
//
// It is kube-apiserver and etcd as in production, started by envtest: schemas, CEL rules,
// admission, RBAC and Pod Security are real. There is no controller and no node. A
// Deployment makes no pods, nothing is collected as garbage, a namespace is never quite
// deleted.
//
// # Processes
//
//	test binary ── FIFO ──▶ sh ──▶ etcd
//	                  └───▶ sh ──▶ kube-apiserver
//
// Each runs under a shell that reads from a FIFO. When the FIFO ends, because the test is
// over or because the test binary is gone in whatever way, the shell kills its program and
// removes the directory of both: nothing is left behind, and no TestMain is needed.
//
// # Failure
//
// Programs that are not built fail the test with the command that builds them (make
// kube-tools); one that does not start fails it with what it wrote.
package apiserver
