# everynode. `make` lists what there is to do.

BIN     := bin/everynode
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
# The core decides and never touches a cluster: it builds and tests in seconds.
CORE    := fleet match plan revision report act feed engine explain preview progress metrics command live snapshot cluster cli dashboard reference
CORE_PKGS = $(foreach p,$(CORE),$(if $(wildcard internal/$(p)),./internal/$(p)/...)) ./internal/house/...

.DEFAULT_GOAL := help
.PHONY: help up build check test lint alerts generate man soak chaos bench bench-build fuzz vuln clean go

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: build ## build and start a whole cluster in one process
	@exec $(BIN) up

build: go ## build bin/everynode (the first time takes minutes)
	@hack/build.sh $(BIN) '$(LDFLAGS)' ./cmd/everynode

check: go ## vet and test the core: seconds
	go vet $(CORE_PKGS)
	go test $(CORE_PKGS)

test: check build lint alerts ## everything: lint, all tests, upstream's suites, a real API server
	go test -vet=off ./cmd/... ./config/... ./internal/...
	go test -vet=off -v -run TestSeeds ./internal/simworld -seeds 12000 -time 90s -detail
	go test -vet=off -p 1 -timeout 30m $$(go list ./test/... | grep -v 'test/conformance$$')
	@hack/conformance.sh

# Type-checking what links Kubernetes takes the linter ten minutes and 7 GiB, so it reads the rest.
LINTED := $(addsuffix /...,$(addprefix ./internal/,act cli cluster command dashboard engine explain feed fleet house live match metrics plan preview progress reference report revision simnode simworld snapshot)) \
          ./config/... ./cmd/everynode-controller/... ./cmd/kubectl-everynode/... ./test/acceptance/... $(addprefix ./test/bench/,. cluster floor proc profiled tally) ./test/chaos/... ./test/examples/... ./test/explain/... ./test/harness/... ./test/model/... ./test/plan/...

lint: go ## static analysis
	GOWORK=off go tool -modfile=tools/go.mod golangci-lint run $(LINTED)

# promtool without the service discoveries of two dozen clouds: half the packages, a minute and a half the first time.
PROMTOOL := bin/promtool
$(PROMTOOL): tools/promtool/go.mod tools/promtool/go.sum | go
	GOWORK=off go build -C tools/promtool -tags remove_all_sd -o ../../$@ github.com/prometheus/prometheus/cmd/promtool

alerts: $(PROMTOOL) ## test the alert rules with Prometheus' own tool
	$(PROMTOOL) check rules config/alerts/everynode.rules.yaml
	$(PROMTOOL) test rules config/alerts/everynode.test.yaml
	go run ./internal/reference/write -expressions | $(PROMTOOL) check rules

generate: go ## write the references, the dashboard and the command pages anew
	go generate ./...

man: go ## write the manual pages to bin/man
	go run ./internal/reference/write -man bin/man

soak: go ## play random schedules against the whole controller: make soak SEEDS=1000000 TIME=1h FIRST=1
	go test -run TestSeeds -timeout 0 -v ./internal/simworld -seeds $(SEEDS) -time $(TIME) -first $(FIRST) -detail

SEEDS ?= 100000
TIME  ?= 0
FIRST ?= 1

chaos: build ## kill, freeze and restart real processes for ten minutes
	go test -v -timeout 0 -run TestChaos ./test/chaos -chaos 10m

bench: bench-build ## measure against upstream: make bench SIZES=1x1000,20x1000 PHASES=first,rolling ROUNDS=3 MODES=direct,scheduler
	bin/bench/bench -sizes $(SIZES) -phases $(PHASES) -rounds $(ROUNDS) -modes $(MODES) -contenders $(CONTENDERS) $(BENCHFLAGS)

SIZES      ?= 1x1000
PHASES     ?= all
ROUNDS     ?= 1
MODES      ?= direct
CONTENDERS ?= floor,upstream-2,upstream-20,everynode
BENCHFLAGS ?=

bench-build: build
	@hack/build.sh bin/everynode-controller '$(LDFLAGS)' ./cmd/everynode-controller
	@hack/build.sh bin/bench/upstream '$(LDFLAGS)' ./test/bench/upstream
	@hack/build.sh bin/bench/floor '$(LDFLAGS)' ./test/bench/floor
	@hack/build.sh bin/bench/profiled '-X main.version=$(VERSION)' ./test/bench/profiled
	@hack/build.sh bin/bench/bench '$(LDFLAGS)' ./test/bench

fuzz: go ## fuzz whatever parses or compares: make fuzz FOR=1m
	hack/fuzz.sh $(FOR)

FOR ?= 30s

vuln: go ## known vulnerabilities; needs the Go vulnerability database
	GOWORK=off go tool -modfile=tools/go.mod govulncheck ./cmd/everynode

clean: ## remove what was built here
	rm -rf bin

go:
	@hack/need-go.sh
