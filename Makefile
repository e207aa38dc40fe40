# Everything that one does with this repository. `make` alone lists it.

GO       ?= go
ARGS     ?=
PKGS     ?= ./...
FUZZTIME ?= 30s
SEEDS    ?= 100000
MINUTES  ?= 3
SEED     ?= 0
ONLY     ?=
# For e2e: images that the cluster's nodes have or can fetch.
IMAGE          ?= trainbooking:local
POSTGRES_IMAGE ?= postgres:17
REDIS_IMAGE    ?= redis:7

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS  := -X main.version=$(VERSION)
# The version is told by LDFLAGS; asking git again fails where another user owns the
# checkout, as in most containers.
export GOFLAGS += -buildvcs=false

# The linter is built from its own module into the user's cache, once a version.
TOOLS    := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/trainbooking/tools
LINT_MOD := github.com/golangci/golangci-lint/v2
LINT      = $(TOOLS)/golangci-lint-$(shell $(GO) -C tools/lint list -m -f '{{.Version}}' $(LINT_MOD))-$(shell $(GO) env GOVERSION)
# So are the programs of Kubernetes that tests run; test/kube/tools finds them there.
KUBE_VER  = $(shell $(GO) -C tools/kube list -m -f '{{.Version}}' k8s.io/kubernetes)
KUBE      = $(TOOLS)/kubernetes-$(KUBE_VER)-$(shell $(GO) env GOVERSION)

# And what makes the CRD and the code around it.
GEN_MOD  := sigs.k8s.io/controller-tools
GEN       = $(TOOLS)/controller-gen-$(shell $(GO) -C tools/generate list -m -f '{{.Version}}' $(GEN_MOD))-$(shell $(GO) env GOVERSION)

# And Helm, what tests the chart, and what writes its README.
HELM_MOD := helm.sh/helm/v4
HELM      = $(TOOLS)/helm-$(shell $(GO) -C tools/helm list -m -f '{{.Version}}' $(HELM_MOD))-$(shell $(GO) env GOVERSION)
UNIT_MOD := github.com/helm-unittest/helm-unittest
UNIT      = $(TOOLS)/helm-unittest-$(shell $(GO) -C tools/helm list -m -f '{{.Version}}' $(UNIT_MOD))-$(shell $(GO) env GOVERSION)
DOCS_MOD := github.com/norwoodj/helm-docs
DOCS      = $(TOOLS)/helm-docs-$(shell $(GO) -C tools/helm list -m -f '{{.Version}}' $(DOCS_MOD))-$(shell $(GO) env GOVERSION)
CHART    := charts/trainbooking

.DEFAULT_GOAL := help

.PHONY: help
help: ## list what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## start the service with demo trains: make run ARGS='--listen :8081'
	@exec bin/trainbooking serve --demo $(ARGS) # not go run: that dies of SIGTERM and leaves it running

.PHONY: build
build: ## build bin/trainbooking
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w $(LDFLAGS)' -o bin/trainbooking ./cmd/trainbooking

# Those in test/ run whole services that compete for the machine: one package at a time.
.PHONY: test
test: cc servers kube-tools chart ## run every test with the race detector: make test PKGS=./booking/...
	$(GO) list $(PKGS) | grep -v '^trainbooking.dev/test/' | xargs -r $(GO) test -race -timeout 15m
	$(GO) list $(PKGS) | grep '^trainbooking.dev/test/' | xargs -r $(GO) test -race -p 1 -timeout 20m

# What its values do. What an API server says to it is in test/kube/chart.
.PHONY: chart
chart: helm-tools ## lint the chart and run its unit tests: make chart ARGS=-u after a change that is meant
	@for values in '' '-f $(CHART)/values-demo.yaml' '-f $(CHART)/values-production.yaml'; do \
		$(HELM) lint --strict --quiet $(CHART) $$values || exit 1; done
	$(UNIT) --strict $(ARGS) $(CHART)

# The quick ones; make mutants ARGS=-long has those, too, for which whole processes run.
.PHONY: mutants
mutants: servers ## break each rule of the protocol and see that a test notices
	$(GO) run ./test/mutants $(ARGS)

# A module of its own. Its tests take their time; what they may last beyond it is for
# starting, and for the search in the end.
.PHONY: chaos
chaos: servers ## let faults happen to three processes under load: make chaos MINUTES=120 SEED=7
	$(GO) -C test/chaos test ./history
	$(GO) -C test/chaos test -count 1 -v -timeout "$$(awk 'BEGIN { print int($(MINUTES) * 2 + 20) }')m" . \
		-chaos.minutes $(MINUTES) -chaos.seed $(SEED) -chaos.only '$(ONLY)'

# The cluster may be any that has a volume to give; kind load docker-image brings IMAGE to
# its nodes.
.PHONY: e2e
e2e: kube-tools ## install the chart on a cluster and use it: make e2e KUBECONFIG=FILE IMAGE=trainbooking:local
	@[ -n "$(KUBECONFIG)" ] || { echo 'e2e needs a cluster: make e2e KUBECONFIG=FILE IMAGE=NAME:TAG'; exit 1; }
	KUBECONFIG='$(abspath $(KUBECONFIG))' $(GO) test -tags e2e -count 1 -v -timeout 40m ./test/e2e \
		-e2e.image '$(IMAGE)' -e2e.postgres-image '$(POSTGRES_IMAGE)' -e2e.redis-image '$(REDIS_IMAGE)'

# protoc comes from the system, its plugin from go.mod. Its version is left out of what it
# writes, as any will do.
.PHONY: generate
generate: protoc generate-tool helm-tools ## generate what is generated: actors/wire, the CRD, the code of operator/v1alpha1, the chart's README
	$(GEN) object applyconfiguration:omitToolVersion=true paths=./operator/v1alpha1
	$(GEN) crd paths=./operator/v1alpha1 output:crd:dir=charts/trainbooking/crd
	$(DOCS) --log-level warning --chart-search-root $(CHART) --sort-values-order file
	@plugin=$$(mktemp -d) && trap 'rm -rf "$$plugin"' EXIT && \
	$(GO) build -o "$$plugin/" google.golang.org/protobuf/cmd/protoc-gen-go && \
	protoc --plugin="$$plugin/protoc-gen-go" -I actors/wire --go_out=actors/wire --go_opt=paths=source_relative envelope.proto && \
	sed -i.bak '/^\/\/ \tprotoc  */d' actors/wire/envelope.pb.go && rm actors/wire/envelope.pb.go.bak

# One target at a time: go test takes one fuzz target of one package.
.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		grep -h -o '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go | cut -c6- | while read -r target; do \
			echo "$$dir $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir"; \
		done; \
	done

# One history again, with all that happened: go test ./test/simulate -run NoHistory -v -seed 7
.PHONY: simulate
simulate: ## play SEEDS histories of faults (100000), and say what they covered
	$(GO) test ./test/simulate -run NoHistory -v -timeout 0 -seeds $(SEEDS)

.PHONY: bench
bench: ## run every benchmark: make bench PKGS=./booking/...
	$(GO) test -run '^$$' -bench . -benchmem $(PKGS)

.PHONY: verify
verify: lint-tool generate ## check modules, what is generated, format, style and the arrows between packages
	git diff --exit-code -- actors/wire operator/v1alpha1 $(CHART)/crd $(CHART)/README.md
	$(GO) mod tidy -diff
	$(GO) -C test/chaos mod tidy -diff
	$(GO) vet -tags e2e ./...
	$(GO) -C test/chaos vet ./...
	$(LINT) fmt --diff
	$(LINT) run
	cd test/chaos && $(LINT) run
	@if [ -n "$(CI)" ] && [ -n "$$(git status --porcelain)" ]; then \
		echo 'The working tree is not clean:'; git status --short; exit 1; fi

.PHONY: format
format: lint-tool ## put the code into its form
	$(LINT) fmt

.PHONY: clean
clean: ## remove what was built
	rm -rf bin

.PHONY: lint-tool
lint-tool:
	@[ -x '$(LINT)' ] || { echo 'building golangci-lint, once (some minutes)'; \
		$(GO) -C tools/lint build -o '$(LINT)' $(LINT_MOD)/cmd/golangci-lint; }

# etcd is the last: where it is, the others are. The version is what the API server says of
# itself, on which charts depend. test/kube/tools finds all that is built here.
.PHONY: kube-tools
kube-tools: helm-tools generate-tool
	@[ -x '$(KUBE)/etcd' ] || { echo 'building kube-apiserver, kubectl and etcd, once (some minutes)'; \
		export CGO_ENABLED=0; version=k8s.io/component-base/version; minor='$(KUBE_VER)'; minor=$${minor#v1.}; \
		$(GO) -C tools/kube build -trimpath -o '$(KUBE)/' \
			-ldflags "-s -w -X $$version.gitVersion=$(KUBE_VER) -X $$version.gitMajor=1 -X $$version.gitMinor=$${minor%%.*}" \
			k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl && \
		$(GO) -C tools/kube build -trimpath -ldflags '-s -w' -o '$(KUBE)/etcd' go.etcd.io/etcd/server/v3; }

.PHONY: generate-tool
generate-tool:
	@[ -x '$(GEN)' ] || { echo 'building controller-gen, once'; \
		$(GO) -C tools/generate build -o '$(GEN)' $(GEN_MOD)/cmd/controller-gen; }

.PHONY: helm-tools
helm-tools:
	@[ -x '$(HELM)' ] || { echo 'building helm, once (some minutes)'; \
		CGO_ENABLED=0 $(GO) -C tools/helm build -ldflags '-s -w' -o '$(HELM)' $(HELM_MOD)/cmd/helm; }
	@[ -x '$(UNIT)' ] || { echo 'building helm-unittest, once (a minute)'; \
		CGO_ENABLED=0 $(GO) -C tools/helm build -ldflags '-s -w' -o '$(UNIT)' $(UNIT_MOD)/cmd/helm-unittest; }
	@[ -x '$(DOCS)' ] || { echo 'building helm-docs, once'; \
		CGO_ENABLED=0 $(GO) -C tools/helm build -ldflags '-s -w' -o '$(DOCS)' $(DOCS_MOD)/cmd/helm-docs; }

.PHONY: protoc
protoc:
	@command -v protoc >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -qq -y --no-install-recommends protobuf-compiler; \
	elif [ "$$(uname)" = Darwin ] && command -v brew >/dev/null; then \
		brew install protobuf; \
	else \
		echo 'What processes say to each other is generated by protoc: sudo apt-get install -y protobuf-compiler'; exit 1; fi

# The race detector needs a C compiler on Linux.
.PHONY: cc
cc:
	@[ "$$(uname)" != Linux ] || command -v "$$($(GO) env CC | cut -d' ' -f1)" >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -qq -y gcc libc6-dev; \
	else \
		echo 'The race detector needs a C compiler: sudo apt-get install -y gcc libc6-dev'; exit 1; fi

# The tests start a Postgres and Redis servers of their own: it is enough that they are
# installed. The folders are those of persistence/persistencetest/servers.
POSTGRES := /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin
# The clock of a Redis is moved by it.
FAKETIME := /usr/lib/*/faketime/libfaketimeMT.so.1 /usr/lib64/faketime/libfaketimeMT.so.1 /usr/lib/faketime/libfaketimeMT.so.1 /usr/local/lib/faketime/libfaketimeMT.so.1

.PHONY: servers
servers:
	@missing=''; \
	[ -n "$$(command -v postgres; ls $(addsuffix /postgres,$(POSTGRES)) 2>/dev/null)" ] || missing=postgres; \
	[ -n "$$(command -v redis-server; ls /opt/homebrew/bin/redis-server 2>/dev/null)" ] || missing="$$missing redis"; \
	[ "$$(uname)" != Linux ] || [ -n "$$(ls $(FAKETIME) 2>/dev/null)" ] || missing="$$missing faketime"; \
	apt=$$(echo "$$missing" | sed 's/postgres/postgresql/; s/redis/redis-server/'); \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$apt; \
	elif [ "$$(uname)" = Darwin ] && command -v brew >/dev/null; then \
		brew install $$(echo "$$missing" | sed 's/postgres/postgresql@17/'); \
	else \
		echo "The tests need Postgres 14 or newer, Redis 7 and libfaketime: sudo apt-get install -y $$apt"; exit 1; \
	fi
