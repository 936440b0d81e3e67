# everynode. `make` lists what there is to do.

BIN     := bin/everynode
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
# The core decides and never touches a cluster: it builds and tests in seconds.
CORE    := fleet match plan revision report act feed engine explain metrics
CORE_PKGS = $(foreach p,$(CORE),$(if $(wildcard internal/$(p)),./internal/$(p)/...)) ./internal/house/...

.DEFAULT_GOAL := help
.PHONY: help up build check test lint clean go

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

up: build ## build and start a whole cluster in one process
	@exec $(BIN) up

build: go ## build bin/everynode (the first time takes minutes)
	@hack/build.sh $(BIN) '$(LDFLAGS)' ./cmd/everynode

check: go ## vet and test the core: seconds
	go vet $(CORE_PKGS)
	go test $(CORE_PKGS)

test: check build ## everything: lint, all tests, and those that need a control plane
	$(MAKE) lint
	go test ./...

lint: go ## static analysis
	go tool -modfile=tools/go.mod golangci-lint run

clean: ## remove what was built here
	rm -rf bin

go:
	@hack/need-go.sh
