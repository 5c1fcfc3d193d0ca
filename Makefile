# fn-runtime: the targets that people and CI run. `make demo` and `make test` do all set-up themselves.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

GO      ?= go
VERSION := $(shell sed -n 's/^const Version = "\(.*\)"/\1/p' plugin/version.go)
PACKAGES = . ./i18n/... ./plugin/... ./commands/... ./runtime/...
TOOL     = $(GO) tool -modfile=tools/go.mod

.PHONY: build install demo notices docs check test unit e2e lint prose vuln cover bench faults soak translations release release-check fuzz clean help

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1\t\2/p' Makefile | expand -t 12

build: ## bin/fn-runtime
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/fn-runtime .

install: build ## install into the IBM Cloud CLI
	@bin/install bin/fn-runtime

demo: ## the main job on the local endpoint, with a real Lithops job
	@echo "Building bin/fn-runtime; the first time this takes a minute or two..."
	@$(MAKE) -s build 2> >(grep -v '^go: downloading' >&2)
	@bin/demo

notices: ## plugin/NOTICE: what is linked, with its licences; after go.mod has changed
	$(GO) run ./bin/notices

docs: ## reference, manual pages and the outputs shown in docs, made anew
	$(GO) run ./bin/reference
	UPDATE=1 $(GO) test -count=1 -timeout 10m ./test/docs

check: lint ## the quick loop: format, vet, lint and the tests of the packages; less than two minutes once built
	$(GO) test -short -timeout 5m $(PACKAGES)

test: lint unit e2e ## everything; in CI nothing may be skipped

lint: ## golangci-lint (.golangci.yml), tidy modules
	$(TOOL) golangci-lint run ./...
	@for dir in . tools test/bench/plot; do (cd $$dir && $(GO) mod tidy -diff) || { echo "$$dir: run 'go mod tidy' there."; exit 1; }; done

prose: ## words to avoid (tools/vale/Plain/Words.yml) in comments, texts and Markdown
	@$(TOOL) vale --output=line $$(git ls-files -co --exclude-standard)

unit: ## packages, with the race detector
	$(GO) test -race -timeout 10m -p 4 $(PACKAGES)

e2e: build ## the built binary, real Lithops, real engine and registry; three packages side by side, which wait a lot
	$(GO) test -count=1 -timeout 60m -p 3 ./test/...

vuln: ## known vulnerabilities; fails when the database is out of reach
	$(TOOL) govulncheck ./...

cover: ## coverage of the packages
	$(GO) test -timeout 10m -coverprofile=coverage.out -coverpkg=./... $(PACKAGES)
	$(GO) tool cover -func=coverage.out | tail -1

bench: build ## ours beside theirs, in one run of some minutes; writes docs/performance.md
	$(GO) run ./test/bench -write

faults: build ## every fault at every request, also the lasting ones; writes the counts to docs/reliability.md
	$(GO) test -count=1 -timeout 120m ./test/faults -full -write
	$(GO) test -count=1 -timeout 20m ./test/secrets -write
	$(GO) test -count=1 -timeout 20m -p 1 ./test/races ./test/crash ./test/hostile -write

soak: build ## ten minutes of everything at once against one local endpoint; writes docs/reliability.md
	$(GO) test -count=1 -timeout 30m -v ./test/soak -for 10m -write

translations: ## every text is translated into every language; lists those that are missing or stale
	$(GO) run ./bin/translations -check

release: translations ## dist: seven platforms, checksums, bill of materials, plug-in repository, Homebrew formula, Debian packages
	@bin/release dist

release-check: ## every platform of a release, from a server, with qemu-user-static, ruby and lintian; takes minutes
	$(GO) test -count=1 -timeout 60m -run TestPublished ./test/release -all

fuzz: ## every fuzz target for FUZZTIME (default 30s) each, and four thousand damaged configurations beside the real client
	@bin/fuzz
	FN_RUNTIME_SEED=$$RANDOM $(GO) test -count=1 -v -run TestDamagedConfigurations ./runtime/lithops/pyyaml

clean: ## what the targets made
	rm -rf bin/fn-runtime bin/fn-runtime-* coverage.out dist .cache
