# Targets for developers and CI. `make demo` and `make test` need no other setup.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

GO      ?= go
VERSION := $(shell sed -n 's/^const Version = "\(.*\)"/\1/p' plugin/version.go)
PACKAGES = . ./i18n/... ./plugin/... ./commands/... ./runtime/...
TOOL     = $(GO) tool -modfile=tools/go.mod

.PHONY: build install demo notices docs check test unit e2e lint prose vuln cover bench faults soak translations release release-check fuzz clean help

help: ## show this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

build: ## build bin/fn-runtime
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/fn-runtime .

install: build ## install into the IBM Cloud CLI
	@bin/install bin/fn-runtime

demo: ## deploy a runtime to the local endpoint and run a real Lithops job
	@echo "Building bin/fn-runtime; the first time this takes a minute or two..."
	@$(MAKE) -s build 2> >(grep -v '^go: downloading' >&2)
	@bin/demo

notices: ## write plugin/NOTICE, the licenses of linked modules; run it after a change of go.mod
	$(GO) run ./bin/notices

docs: ## regenerate the reference, the manual pages and the outputs in the documentation
	$(GO) run ./bin/reference
	UPDATE=1 $(GO) test -count=1 -timeout 10m ./test/docs

check: lint ## run the quick checks: format, vet, lint and package tests; takes less than two minutes once built
	$(GO) test -short -timeout 5m $(PACKAGES)

test: lint unit e2e ## run all checks and tests; in CI no test may be skipped

lint: prose ## run golangci-lint (.golangci.yml), check that modules are tidy, and run prose
	$(TOOL) golangci-lint run ./...
	@for dir in . tools test/bench/plot; do (cd $$dir && $(GO) mod tidy -diff) || { echo "$$dir: run 'go mod tidy' there."; exit 1; }; done

prose: ## find words to avoid (tools/vale/Plain/Words.yml) in comments, texts and Markdown
	@$(TOOL) vale --output=line $$(git ls-files -co --exclude-standard)

unit: ## test the packages with the race detector
	$(GO) test -race -timeout 10m -p 4 $(PACKAGES)

e2e: build ## test the built binary with real Lithops, engine and registry; runs three packages at a time
	$(GO) test -count=1 -timeout 60m -p 3 ./test/...

vuln: ## check for known vulnerabilities; fails if the database is unreachable
	$(TOOL) govulncheck ./...

cover: ## measure the test coverage of the packages
	$(GO) test -timeout 10m -coverprofile=coverage.out -coverpkg=./... $(PACKAGES)
	$(GO) tool cover -func=coverage.out | tail -1

bench: build ## compare with other tools; takes several minutes and writes docs/performance.md
	$(GO) run ./test/bench -write

faults: build ## inject every temporary and lasting fault into every request; writes the counts to docs/reliability.md
	$(GO) test -count=1 -timeout 120m ./test/faults -full -write
	$(GO) test -count=1 -timeout 20m ./test/secrets -write
	$(GO) test -count=1 -timeout 20m -p 1 ./test/races ./test/crash ./test/hostile -write

soak: build ## put load on one local endpoint for ten minutes; writes docs/reliability.md
	$(GO) test -count=1 -timeout 30m -v ./test/soak -for 10m -write

translations: ## check that every text is translated into every language; lists missing and outdated ones
	$(GO) run ./bin/translations -check

release: translations ## build a release in dist: seven platforms, checksums, bill of materials, plug-in repository, Homebrew formula, Debian packages
	@bin/release dist

release-check: ## install every platform of a release from a server, with qemu-user-static, ruby and lintian; takes minutes
	$(GO) test -count=1 -timeout 60m -run TestPublished ./test/release -all

fuzz: ## run every fuzz target for FUZZTIME (default 30s) each, and compare 4,000 damaged configurations with the real client
	@bin/fuzz
	FN_RUNTIME_SEED=$$RANDOM $(GO) test -count=1 -v -run TestDamagedConfigurations ./runtime/lithops/pyyaml

clean: ## delete the files that the targets create
	rm -rf bin/fn-runtime bin/fn-runtime-* coverage.out dist .cache
