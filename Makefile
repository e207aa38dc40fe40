# `make` lists the targets.

GO       ?= go
ARGS     ?=
PKGS     ?= ./...
FUZZTIME ?= 30s
SEEDS    ?= 100000
FIRST    ?= 1
MINUTES  ?= 3
SEED     ?= 0
ONLY     ?=
TRAINS    ?= 100000
BOOKINGS  ?= 1000000
SCHEDULES ?= 10000
SALES     ?= 5s
ROUNDS   ?= 3
TIME     ?= 6s
WORKLOAD ?=
SERVER   ?=
RESULTS  ?=
# Images for e2e, which the nodes of the cluster have or can pull.
IMAGE          ?= trainbooking:local
OPERATOR_IMAGE ?= trainbooking-operator:local
POSTGRES_IMAGE ?= postgres:17
REDIS_IMAGE    ?= redis:7
# The version that e2e upgrades from.
PREVIOUS       ?= 3b19f3e
PREVIOUS_CHART ?=
PREVIOUS_IMAGE ?= trainbooking:previous

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS  := -X main.version=$(VERSION) -X main.commit=$(shell git rev-parse HEAD 2>/dev/null)
# Without grpcnotrace, gRPC contains golang.org/x/net/trace and so html/template; see size.
TAGS     := grpcnotrace
# LDFLAGS sets the version. By default Go also runs git, which fails if another user owns the
# checkout, as in most containers.
export GOFLAGS += -buildvcs=false

# Tools are built into the user's cache, once for each version, from the modules below tools/ that
# pin them. test/kube/tools finds them by the same paths.
TOOLS       := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/trainbooking/tools
version-of   = $(shell $(GO) -C tools/$(1) list -m -f '{{.Version}}' $(2))
tool-file    = $(TOOLS)/$(1)-$(call version-of,$(2),$(3))-$(shell $(GO) env GOVERSION)
LINT         = $(call tool-file,golangci-lint,lint,github.com/golangci/golangci-lint/v2)
GEN          = $(call tool-file,controller-gen,generate,sigs.k8s.io/controller-tools)
HELM         = $(call tool-file,helm,helm,helm.sh/helm/v4)
UNIT         = $(call tool-file,helm-unittest,helm,github.com/helm-unittest/helm-unittest)
DOCS         = $(call tool-file,helm-docs,helm,github.com/norwoodj/helm-docs)
BENCHSTAT    = $(call tool-file,benchstat,benchstat,golang.org/x/perf)
KUBE         = $(call tool-file,kubernetes,kube,k8s.io/kubernetes)
SBOM         = $(call tool-file,cyclonedx-gomod,sbom,github.com/CycloneDX/cyclonedx-gomod)
# The npm packages for the page and for openapi.yaml. Their version is a checksum of what is pinned.
npm-packages = $(TOOLS)/$(1)-$(firstword $(shell cksum tools/$(1)/package-lock.json))
WEB          = $(call npm-packages,web)
API          = $(call npm-packages,api)
CHART       := charts/trainbooking
CRD_CHART   := charts/trainbooking-crds

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## start the service with demo trains: make run ARGS='--listen :8081'
	@exec bin/trainbooking serve --demo $(ARGS) # not go run: SIGTERM would end only go and not the service

.PHONY: build
build: ## build bin/trainbooking
	CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) -ldflags '-s -w $(LDFLAGS)' -o bin/trainbooking ./cmd/trainbooking

# A program that can reach reflect.Value.MethodByName with a name that is not a constant, as in
# text/template, has all methods of all types: 42 MB instead of 31 MB. -ldflags=-dumpdep prints what
# reaches what, and marks the functions that call it with <ReflectMethod>.
MAX_SIZE := 35000000

.PHONY: size
size: build ## check the size of bin/trainbooking
	@size=$$(wc -c <bin/trainbooking); [ "$$size" -le $(MAX_SIZE) ] || { \
		echo "bin/trainbooking has $$size bytes, and MAX_SIZE is $(MAX_SIZE); the Makefile says how to find the cause"; exit 1; }

# Packages are tested in groups, because go test prints results in the order of its arguments and
# the packages of Kubernetes take minutes to compile. Packages that compile in seconds come first.
# Packages that run whole processes run one at a time, but four of their tests at once, because these
# wait more than they compute; except in test/cluster, which measures times. The first group that fails
# stops make.
QUICK      := booking|test/simulate|test/traffic
PROCESSES  := test/embedded|test/page|test/openapi
TIMED      := test/cluster
KUBERNETES := test/kube

.PHONY: test
test: cc ## run every test with the race detector: make test PKGS=./booking/...
	$(call test-group,,$(QUICK))
	$(call test-group,-v,$(QUICK)|$(PROCESSES)|$(TIMED)|$(KUBERNETES))
	$(call test-group,,$(PROCESSES),-p 1 -parallel 4)
	$(call test-group,,$(TIMED),-p 1)
	$(call test-group,,$(KUBERNETES),-p 1 -parallel 4)

# $(call test-group,-v or nothing,DIRECTORIES,FLAGS) makes the targets that the packages need and
# tests those PKGS that are in the directories, or with -v those that are not. With the race detector a
# program sleeps for a second before it exits, unless GORACE has another time.
define test-group
@all=$$($(GO) list -find $(PKGS)) || exit; \
packages=$$(echo "$$all" | grep -E $(1) '^trainbooking.dev/($(2))(/|$$)' | xargs); \
[ -n "$$packages" ] || exit 0; \
needs=$$($(GO) list -deps -test $$packages | awk '$(needs)' | sort | xargs); \
if [ -n "$$needs" ]; then $(MAKE) --no-print-directory $$needs || exit; fi; \
GORACE="$${GORACE-atexit_sleep_ms=10}" $(GO) test -race -timeout 20m $(3) $$packages
endef

# Maps packages that tests import to the targets that they need.
define needs
$$1 == "trainbooking.dev/persistence/persistencetest/servers" { print "servers" } \
$$1 == "trainbooking.dev/test/kube/tools" { print "kube-tools" } \
$$1 == "trainbooking.dev/cmd/internal/manual.test" { print "shells" } \
$$1 == "trainbooking.dev/test/page.test" { print "chromium web-tool" } \
$$1 == "trainbooking.dev/test/openapi.test" { print "api-tool" } \
$$1 == "trainbooking.dev/test/kube/chart.test" { print "chart" }
endef

# These test the effect of the values. test/kube/chart tests that an API server accepts the result.
.PHONY: chart
chart: helm-tool chart-tool ## lint the charts and run their unit tests: make chart ARGS=-u updates the snapshot
	@$(HELM) lint --strict --quiet $(CRD_CHART)
	@for values in '' '-f $(CHART)/values-demo.yaml' '-f $(CHART)/values-production.yaml'; do \
		$(HELM) lint --strict --quiet $(CHART) $$values || exit 1; done
	$(UNIT) --strict $(ARGS) $(CHART) $(CRD_CHART)

# make mutants ARGS=-long also runs the tests of whole processes.
.PHONY: mutants
mutants: servers ## break each rule of the protocol and require that a test fails
	$(GO) run ./test/mutants $(ARGS)

# It takes longer than MINUTES, because processes start and the history is checked.
.PHONY: chaos
chaos: servers ## inject faults into three processes under load: make chaos MINUTES=120 SEED=7
	$(GO) test -tags chaos -count 1 -v -timeout "$$(awk 'BEGIN { print int($(MINUTES) * 2 + 20) }')m" ./test/chaos \
		-chaos.minutes $(MINUTES) -chaos.seed $(SEED) -chaos.only '$(ONLY)'

# It needs about 2 GB in the temporary directory, and a machine without other load.
.PHONY: scale
scale: servers ## measure 100,000 trains, and 10,000 schedules: make scale TRAINS=2000 BOOKINGS=20000 SCHEDULES=200
	$(GO) test -tags scale -count 1 -v -timeout 60m ./test/scale -scale.trains $(TRAINS) -scale.bookings $(BOOKINGS) \
		-scale.schedules $(SCHEDULES) -scale.sales $(SALES)

# docs/releasing.md describes it.
.PHONY: release
release: helm-tool sbom-tool ## write the files of a release to dist/: make release VERSION=1.2.3
	@$(GO) -C tools/release run . -version '$(VERSION)' -tags '$(TAGS)' -helm '$(HELM)' -cyclonedx-gomod '$(SBOM)'

# It releases a copy of the last commit twice, and only for linux/amd64, because other platforms take
# minutes to compile. IMAGES is a directory with images of the Dockerfile to compare with theirs.
.PHONY: release-check
release-check: helm-tool sbom-tool ## check that two releases of the same commit are the same, and that their images run
	$(GO) -C tools/release test -count 1 $(if $(IMAGES),-tags images) . -args $(if $(IMAGES),-images '$(IMAGES)') \
		-build-tags '$(TAGS)' -helm '$(HELM)' -cyclonedx-gomod '$(SBOM)'

# The cluster needs a default storage class. `kind load docker-image` copies images to the nodes of kind.
.PHONY: e2e
e2e: kube-tools ## test the chart on a cluster: make e2e KUBECONFIG=FILE IMAGE=NAME:TAG OPERATOR_IMAGE=NAME:TAG
	@[ -n "$(KUBECONFIG)" ] || { echo 'e2e needs a cluster: make e2e KUBECONFIG=FILE'; exit 1; }
	KUBECONFIG='$(abspath $(KUBECONFIG))' $(GO) test -tags e2e -count 1 -v -timeout 40m ./test/e2e \
		-e2e.image '$(IMAGE)' -e2e.operator-image '$(OPERATOR_IMAGE)' \
		-e2e.postgres-image '$(POSTGRES_IMAGE)' -e2e.redis-image '$(REDIS_IMAGE)' \
		-e2e.previous-chart '$(if $(PREVIOUS_CHART),$(abspath $(PREVIOUS_CHART)))' -e2e.previous-image '$(PREVIOUS_IMAGE)'

# e2e also tests the upgrade of it, if it has its chart and its image:
# make previous DIR=../previous && docker build -t trainbooking:previous ../previous
# make e2e PREVIOUS_CHART=../previous/charts/trainbooking …
.PHONY: previous
previous: ## extract the source of the version before: make previous DIR=../previous
	@[ -n "$(DIR)" ] || { echo 'make previous DIR=DIRECTORY'; exit 1; }
	mkdir -p '$(DIR)'
	git archive $(PREVIOUS) | tar -x -C '$(DIR)'

# protoc is the system's, its plugins are built from go.mod. The version of protoc is removed from
# the output, because it differs between systems.
.PHONY: generate
generate: protoc generate-tool docs-tool ## generate the messages between processes, the CRD, code in operator/v1alpha1 and the charts' READMEs
	$(GEN) object applyconfiguration:omitToolVersion=true paths=./operator/v1alpha1
	$(GEN) crd paths=./operator/v1alpha1 output:crd:dir=$(CRD_CHART)/crd
	cp $(CRD_CHART)/crd/*.yaml $(CHART)/crd # a symbolic link would be left out by Flux
	$(DOCS) --log-level warning --chart-search-root charts --sort-values-order file
	@plugins=$$(mktemp -d) && trap 'rm -rf "$$plugins"' EXIT && \
	$(GO) build -o "$$plugins/" google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc && \
	PATH="$$plugins:$$PATH" protoc --go_out=. --go-grpc_out=. --go_opt=paths=source_relative --go-grpc_opt=paths=source_relative \
		actors/wire/trains.proto cluster/wire/members.proto && \
	sed -i.bak '/^\/\/ .*- protoc  */d; /^\/\/ \tprotoc  */d' actors/wire/*.pb.go cluster/wire/*.pb.go && rm */wire/*.bak

# go test accepts only one fuzz target at a time.
.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		grep -h -o '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go | cut -c6- | while read -r target; do \
			echo "$$dir $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir"; \
		done; \
	done

# To repeat one history and print its steps: go test ./test/simulate -run NoHistory -v -seed 7
.PHONY: simulate
simulate: ## simulate SEEDS histories with faults (100000) from seed FIRST (1) on, and print their coverage
	$(GO) test ./test/simulate -run NoHistory -v -timeout 0 -first $(FIRST) -seeds $(SEEDS)

.PHONY: microbench
microbench: ## run every Go benchmark: make microbench PKGS=./booking/...
	$(GO) test -run '^$$' -bench . -benchmem $(PKGS)

# What a request consists of: the seat map and its snapshots, the decoder, the token, the batcher, a
# search, a call between processes. The benchmarks that are left out start stores.
compared = $(GO) test -run '^$$' -bench . -skip '^Benchmark(Activate|Sale)$$' -benchmem -benchtime 100ms -count 8 \
	./booking ./api ./api/auth ./actors ./cluster

# Only results of the same machine compare.
.PHONY: bench-compare
bench-compare: benchstat-tool ## compare the Go benchmarks of a request with those of the last release
	@mkdir -p bin
	$(compared) >bin/microbench.txt || { cat bin/microbench.txt; exit 1; }
	$(BENCHSTAT) bench/microbench.txt bin/microbench.txt

.PHONY: bench-baseline
bench-baseline: ## run the Go benchmarks of a request for bench-compare, before a release
	@mkdir -p bin
	$(compared) >bin/microbench.txt || { cat bin/microbench.txt; exit 1; }
	mv bin/microbench.txt bench/microbench.txt

# It needs a machine without other load. WORKLOAD and SERVER are regular expressions, in
# which make takes $$ for $. RESULTS is a file for JSON.
.PHONY: bench
bench: servers wrk ## compare with what people would use instead: make bench ROUNDS=1 TIME=2s WORKLOAD=^lock SERVER='clustered|peer'
	$(call run-bench,Bench) -results '$(if $(RESULTS),$(abspath $(RESULTS)))'

# $(call run-bench,NAME) runs a test of bench.
run-bench = $(GO) test -C bench -count 1 -v -timeout 3h . -run '^Test($(1))$$' \
	-rounds $(ROUNDS) -time $(TIME) -workload '$(WORKLOAD)' -server '$(SERVER)'

# p99.9 is of at least 10,000 requests, so it needs some time.
.PHONY: bench-tails
bench-tails: TIME = 20s
bench-tails: servers wrk ## measure the slowest requests at half the highest rate: make bench-tails TIME=60s SERVER='clustered|limit'
	$(call run-bench,Tails)

.PHONY: bench-growth
bench-growth: TIME = 2s
bench-growth: wrk ## measure what grows with trains, seats, legs and segments, and plot it in docs/growth.svg
	$(call run-bench,Growth) -plots docs

.PHONY: bench-check
bench-check: ## run each kind of workload of the comparison for a moment, to check what is acknowledged
	$(GO) vet -C bench ./...
	$(GO) test -C bench -count 1 $$($(GO) list -C bench ./... | grep /bench/)
	$(MAKE) --no-print-directory bench ROUNDS=1 TIME=300ms \
		WORKLOAD='^search 20×100|^lock then confirm, 32|^four|^rush, 32'
	$(call run-bench,Tails|Growth) -rounds 1 -time 250ms -server 'limit|embedded'

# The service's own profiles, in profiles/: go tool pprof -http : profiles/clustered-lock.cpu.pprof
.PHONY: profile
profile: WORKLOAD = lock
profile: SERVER = clustered
profile: servers wrk ## profile the service: make profile WORKLOAD='search|lock|confirm' SERVER='clustered|embedded|three'
	$(call run-bench,Profile) -profiles profiles

# go build uses the file default.pgo of a command. It names functions but no files.
.PHONY: pgo
pgo: WORKLOAD = ^(lock|confirm|search)$$
pgo: SERVER = clustered|embedded
pgo: servers wrk ## make cmd/trainbooking/default.pgo of the profiles of lock, lock then confirm, and search
	$(call run-bench,Profile) -profiles profiles -merged cmd/trainbooking/default.pgo

.PHONY: verify
verify: lint-tool generate size web-vendor web-check ## check modules, generated files, format, style, imports, types and size
	git diff --exit-code -- actors/wire operator/v1alpha1 charts/*/crd charts/*/README.md web/vendor
	$(GO) mod tidy -diff
	$(GO) -C bench mod tidy -diff
	$(GO) -C tools/release mod tidy -diff
	$(LINT) fmt --diff
	$(LINT) run
	cd bench && $(LINT) run
	cd tools/release && $(LINT) run
	@if [ -n "$(CI)" ] && [ -n "$$(git status --porcelain)" ]; then \
		echo 'The working tree is not clean:'; git status --short; exit 1; fi

.PHONY: web-check
web-check: web-tool ## check the types of the page's modules
	node web/node_modules/typescript/bin/tsc -p web

# npm has checked the hashes in tools/web/package-lock.json. make verify requires that nothing changes.
.PHONY: web-vendor
web-vendor: web-tool ## copy the files of Lit that the page imports to web/vendor
	web/vendor.sh

.PHONY: format
format: lint-tool ## format the code
	$(LINT) fmt

.PHONY: clean
clean: ## remove the built programs
	rm -rf bin dist

# $(call tool,FILE,MODULE,PACKAGE,LINKER FLAGS) builds a tool from the module in tools/MODULE unless
# FILE exists. All tools use the same flags, so that they share compiled packages. With flock, make
# waits for another make that is building the tool.
define tool
@[ -x '$(1)' ] || { mkdir -p '$(dir $(1))' && echo 'building $(notdir $(1)), once (some minutes)' && \
$(if $(shell command -v flock),flock '$(1).lock') sh -c "[ -x '$(1)' ] || { \
	CGO_ENABLED=0 $(GO) -C tools/$(2) build -trimpath -ldflags '-s -w $(4)' -o '$(1).new' $(3) && mv '$(1).new' '$(1)'; }"; }
endef

.PHONY: lint-tool generate-tool helm-tool chart-tool docs-tool benchstat-tool sbom-tool
lint-tool:
	$(call tool,$(LINT),lint,github.com/golangci/golangci-lint/v2/cmd/golangci-lint)
generate-tool:
	$(call tool,$(GEN),generate,sigs.k8s.io/controller-tools/cmd/controller-gen)
helm-tool:
	$(call tool,$(HELM),helm,helm.sh/helm/v4/cmd/helm)
chart-tool:
	$(call tool,$(UNIT),helm,github.com/helm-unittest/helm-unittest/cmd/helm-unittest)
docs-tool:
	$(call tool,$(DOCS),helm,github.com/norwoodj/helm-docs/cmd/helm-docs)
benchstat-tool:
	$(call tool,$(BENCHSTAT),benchstat,golang.org/x/perf/cmd/benchstat)
sbom-tool:
	$(call tool,$(SBOM),sbom,github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod)

# $(call npm-tool,MODULE,DIRECTORY,LINK) installs what tools/MODULE pins in DIRECTORY unless it is there.
# Modules, editors and tests find the packages, and their types, through the link.
define npm-tool
@[ -e '$(2)/node_modules/.package-lock.json' ] || { mkdir -p '$(2)' && \
$(if $(shell command -v flock),flock '$(2).lock') sh -c "[ -e '$(2)/node_modules/.package-lock.json' ] || { \
	cp tools/$(1)/package*.json '$(2)' && \
	npm ci --prefix '$(2)' --ignore-scripts --no-audit --no-fund --loglevel=error; }"; }
@ln -sfn '$(2)/node_modules' $(3)
endef

.PHONY: web-tool api-tool
web-tool: npm
	$(call npm-tool,web,$(WEB),web/node_modules)
api-tool: npm
	$(call npm-tool,api,$(API),test/openapi/client/node_modules)

.PHONY: npm
npm:
	@command -v npm >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends nodejs npm; \
	elif [ "$$(uname)" = Darwin ] && command -v brew >/dev/null; then \
		brew install node; \
	else \
		echo 'make web-check and the tests of the page and of openapi.yaml need npm: sudo apt-get install -y nodejs npm'; exit 1; fi

# The tools of test/kube and test/e2e. Charts depend on the version that the API server reports.
KUBE_VERSION = $(call version-of,kube,k8s.io/kubernetes)
KUBE_LDFLAGS = $(addprefix -X k8s.io/component-base/version.,gitVersion=$(KUBE_VERSION) gitMajor=1 gitMinor=$(word 2,$(subst ., ,$(KUBE_VERSION))))

.PHONY: kube-tools
kube-tools: helm-tool generate-tool
	$(call tool,$(KUBE)/kube-apiserver,kube,k8s.io/kubernetes/cmd/kube-apiserver,$(KUBE_LDFLAGS))
	$(call tool,$(KUBE)/kubectl,kube,k8s.io/kubernetes/cmd/kubectl,$(KUBE_LDFLAGS))
	$(call tool,$(KUBE)/etcd,kube,go.etcd.io/etcd/server/v3)

.PHONY: protoc
protoc:
	@command -v protoc >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -qq -y --no-install-recommends protobuf-compiler; \
	elif [ "$$(uname)" = Darwin ] && command -v brew >/dev/null; then \
		brew install protobuf; \
	else \
		echo 'make generate needs protoc: sudo apt-get install -y protobuf-compiler'; exit 1; fi

# The race detector needs a C compiler on Linux.
.PHONY: cc
cc:
	@[ "$$(uname)" != Linux ] || command -v "$$($(GO) env CC | cut -d' ' -f1)" >/dev/null || \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && apt-get install -qq -y gcc libc6-dev; \
	else \
		echo 'The race detector needs a C compiler: sudo apt-get install -y gcc libc6-dev'; exit 1; fi

# The tests start their own Postgres and Redis, which must be installed, in a directory that
# persistence/persistencetest/servers searches.
POSTGRES := /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin
# libfaketime changes the clock of a Redis.
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

# The tests of the page run in Chromium, and check it with axe-core, which npm installs. test/page finds
# Chromium in the same places.
.PHONY: chromium
chromium:
	@if [ -n "$$(command -v chromium || command -v chromium-browser || command -v google-chrome || ls -d /Applications/Chromium.app '/Applications/Google Chrome.app' 2>/dev/null)" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core; \
	elif [ "$$(uname)" = Darwin ] && command -v brew >/dev/null; then \
		brew install --cask chromium; \
	else \
		echo 'The tests of the page need Chromium: sudo apt-get install -y chromium'; exit 1; \
	fi

# The tests of completions run in these shells.
COMPLETION := /usr/share/bash-completion/bash_completion /opt/homebrew/share/bash-completion/bash_completion /usr/local/share/bash-completion/bash_completion

.PHONY: shells
shells:
	@if command -v zsh >/dev/null && command -v fish >/dev/null && [ -n "$$(ls $(COMPLETION) 2>/dev/null)" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends bash-completion zsh fish; \
	elif [ "$$(uname)" = Darwin ] && command -v brew >/dev/null; then \
		brew install bash bash-completion@2 zsh fish; \
	else \
		echo 'The tests of completions need: sudo apt-get install -y bash-completion zsh fish'; exit 1; \
	fi

# make bench sends its requests with wrk.
.PHONY: wrk
wrk:
	@if command -v wrk >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends wrk; \
	elif [ "$$(uname)" = Darwin ] && command -v brew >/dev/null; then \
		brew install wrk; \
	else \
		echo 'The bench needs wrk 4: sudo apt-get install -y wrk'; exit 1; \
	fi
