# `make demo` shows the main job on real input, `make test` is everything that CI runs. Both need nothing but a CPython
# 3.12 or later somewhere on the machine (scripts/find-python.sh looks) and git; PYTHON=… and VENV=… choose others.

VENV ?= .venv
PYTHON ?=
WORKERS ?= 3
COVERAGE ?= 88
PYTEST_OPTIONS ?=
NEO4J_OPTIONS ?=
export VENV PYTHON

bin = $(VENV)/bin
code = provgraph tests scripts docs examples $(wildcard benchmarks)
environment = @scripts/environment.sh
neo4j = "$$(scripts/find-python.sh)" scripts/neo4j.py
# Tools of ours must not write byte code beside the sources of a demo, nor ask a terminal anything.
export PIP_NO_INPUT = 1

.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs docs-help check-tests bench neo4j neo4j-stop neo4j-wipe clean

help: ## what can be made
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/make \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do \
		printf '%-14s %s\n' "$$name" "$$what"; done

demo: ## the main job on real input, in build/demo (three minutes at most, then seconds)
	$(environment) demo
	@PATH="$(abspath $(bin)):$$PATH" DEMO_SHOWN=build/demo examples/demo/run.sh build/demo

test: lint docs check-tests ## everything that CI runs: lint, types, layers, docs, tests with coverage

lint: ## style, types, layers
	$(environment) dev
	$(bin)/ruff check $(code)
	$(bin)/ruff format --check $(code)
	$(bin)/mypy
	$(bin)/lint-imports

format: ## mend what can be mended by a program
	$(environment) dev
	$(bin)/ruff check --fix $(code)
	$(bin)/ruff format $(code)

docs: ## the site, in build/docs, warnings are errors
	$(environment) dev
	$(bin)/python -m sphinx -W --keep-going -q -b html -d build/doctrees docs build/docs

docs-help: ## write the generated parts of docs/ anew
	$(environment) dev
	$(bin)/python docs/scripts/generate.py

# The commands under test write no byte code: without that of a first look each would compile what it imports.
check-tests:
	$(environment) dev
	@$(bin)/python -m compileall -q provgraph
	@$(bin)/python -c 'from provgraph.schemas import names, validator; [validator(name) for name in names()]'
	$(bin)/python -m pytest -n $(WORKERS) --dist worksteal --cov --cov-report=term --cov-fail-under=$(COVERAGE) $(PYTEST_OPTIONS)

bench: ## the figures, into benchmarks/*.md (over two hours, better on a quiet machine)
	$(environment) dev
	$(bin)/python benchmarks/run.py

neo4j: ## start a real Neo4j on this machine alone, in build/neo4j (NEO4J_OPTIONS='--port 7688 --tls …')
	@$(neo4j) start $(NEO4J_OPTIONS)

neo4j-stop: ## end it; what it holds stays
	@$(neo4j) stop

neo4j-wipe: ## end it, and remove what it holds
	@$(neo4j) wipe

clean: ## remove what was made, but the environment
	@test ! -e build/neo4j || $(neo4j) wipe
	rm -rf build dist htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
	find provgraph tests examples docs scripts -name __pycache__ -type d -prune -exec rm -rf {} +
