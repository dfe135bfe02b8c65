# What a developer types. `make` alone lists it.

COVERAGE ?= 85
STATICCHECK ?= v0.7.0
# MiB that the tests may have in memory, all their processes together.
MEMORY ?= 6144

.DEFAULT_GOAL := help
.PHONY: help prepare test torture torture-short lint build demo clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

prepare: ## install what the tests need and Go does not bring (Debian packages)
	@./.ci/prepare

test: prepare ## every test, with the race detector, real servers, and at least COVERAGE percent covered
	@./.ci/within $(MEMORY) ./.ci/test $(COVERAGE)

torture: prepare ## kills, outages, models and fuzzing at full length, under 40 minutes
	@./.ci/within $(MEMORY) ./.ci/torture 35

torture-short: prepare ## ten minutes of the same
	@./.ci/within $(MEMORY) ./.ci/torture 10

lint: ## gofmt, go vet, staticcheck, shellcheck
	@STATICCHECK=$(STATICCHECK) ./.ci/lint

build: ## the program, static, as bin/prpflow
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o bin/prpflow ./cmd/prpflow

demo: ## the whole way in one process, without a server
	go run ./cmd/prpflow demo

clean: ## remove what build made
	rm -rf bin
