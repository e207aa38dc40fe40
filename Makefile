# Everything that one does with this repository. `make` alone lists it.

GO       ?= go
ARGS     ?=
PKGS     ?= ./...
FUZZTIME ?= 30s

VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS  := -X main.version=$(VERSION)
# The version is told by LDFLAGS; asking git again fails where another user owns the
# checkout, as in most containers.
export GOFLAGS += -buildvcs=false

# The linter is built from its own module into the user's cache, once a version.
TOOLS    := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/trainbooking/tools
LINT_MOD := github.com/golangci/golangci-lint/v2
LINT      = $(TOOLS)/golangci-lint-$(shell $(GO) -C tools/lint list -m -f '{{.Version}}' $(LINT_MOD))-$(shell $(GO) env GOVERSION)

.DEFAULT_GOAL := help

.PHONY: help
help: ## list what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## start the service with demo trains: make run ARGS='--listen :8081'
	@exec bin/trainbooking serve --demo $(ARGS) # not go run: that dies of SIGTERM and leaves it running

.PHONY: build
build: ## build bin/trainbooking
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w $(LDFLAGS)' -o bin/trainbooking ./cmd/trainbooking

# Those in test/ run whole services that compete for the machine: one package at a time.
.PHONY: test
test: cc servers ## run every test with the race detector: make test PKGS=./booking/...
	$(GO) list $(PKGS) | grep -v '^trainbooking.dev/test/' | xargs -r $(GO) test -race -timeout 15m
	$(GO) list $(PKGS) | grep '^trainbooking.dev/test/' | xargs -r $(GO) test -race -p 1 -timeout 20m

# One target at a time: go test takes one fuzz target of one package.
.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (30s)
	@set -e; grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n1 dirname | sort -u | while read -r dir; do \
		grep -h -o '^func Fuzz[A-Za-z0-9_]*' "$$dir"/*_test.go | cut -c6- | while read -r target; do \
			echo "$$dir $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir"; \
		done; \
	done

.PHONY: bench
bench: ## run every benchmark: make bench PKGS=./booking/...
	$(GO) test -run '^$$' -bench . -benchmem $(PKGS)

.PHONY: verify
verify: lint-tool ## check modules, format, style and the arrows between packages
	$(GO) mod tidy -diff
	$(GO) vet ./...
	$(LINT) fmt --diff
	$(LINT) run
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

.PHONY: servers
servers:
	@missing=''; \
	[ -n "$$(command -v postgres; ls $(addsuffix /postgres,$(POSTGRES)) 2>/dev/null)" ] || missing=postgres; \
	[ -n "$$(command -v redis-server; ls /opt/homebrew/bin/redis-server 2>/dev/null)" ] || missing="$$missing redis"; \
	apt=$$(echo "$$missing" | sed 's/postgres/postgresql/; s/redis/redis-server/'); \
	if [ -z "$$missing" ]; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$apt; \
	elif [ "$$(uname)" = Darwin ] && command -v brew >/dev/null; then \
		brew install $$(echo "$$missing" | sed 's/postgres/postgresql@17/'); \
	else \
		echo "The tests need Postgres 14 or newer and Redis 7: sudo apt-get install -y $$apt"; exit 1; \
	fi
