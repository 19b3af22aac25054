.PHONY: help test check bench

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

test: ## run the tests
	go test ./...

check: ## run everything that CI runs
	./.ci/run

bench: ## compare a small call and a page of hits with plain net/http and encoding/json
	go test -run '^$$' -bench 'SmallCall|Page' -count 6 .
