# Every command of the project. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null || echo .uv/bin/uv)
MEMBERS := core plugins/redis plugins/sqlite operator benchmarks examples/bidder examples/marketplace examples/demo examples/custom-backend tools/kube
SETUP := .venv/.ready
FEED ?=
PYTHON_VERSION ?=
SECONDS ?= 60
SEED ?= 1
AGAINST ?=
FAULTS ?= all
into ?= ..
export UV_NO_SYNC := 1

.PHONY: help
help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(SETUP) ## Set everything up in .venv (done by every other command, too)

.uv/bin/uv:
	@echo "setting up uv in .uv"
	@$(PYTHON) -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check 'uv>=0.13,<0.14'

$(SETUP): requirements.lock pyproject.toml $(MEMBERS:%=%/pyproject.toml) | $(filter .uv/bin/uv,$(UV))
	@echo "setting up .venv"
	@test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) .venv
	@$(UV) pip sync --quiet --require-hashes requirements.lock
	@$(UV) pip install --quiet --no-build-isolation --no-deps $(MEMBERS:%=-e %)
	@touch $@

.PHONY: kube
kube: $(SETUP) ## Build a Kubernetes for tests into a cache outside the checkout (minutes, once)
	@$(BIN)/bidlock-kube build

.PHONY: image-contexts
image-contexts: $(SETUP) ## Lay out build contexts for our Dockerfiles in dist/images (PYTHON_VERSION=3.11)
	@$(BIN)/bidlock-kube contexts $(if $(PYTHON_VERSION),--python $(PYTHON_VERSION))

.PHONY: kube-up
kube-up: $(SETUP) ## Start a Kubernetes that stays, and print how to use it
	@$(BIN)/bidlock-kube up

.PHONY: kube-down
kube-down: $(SETUP) ## Take it away, and what killed test runs left
	@$(BIN)/bidlock-kube down

.PHONY: demo
demo: $(SETUP) ## The main job: one feed, many bidders, no double bid (FEED=file for your own)
	@$(BIN)/bidlock demo $(if $(FEED),--feed $(FEED))

.PHONY: fmt
fmt: $(SETUP) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

.PHONY: lint
lint: $(SETUP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

.PHONY: types
types: $(SETUP)
	@$(BIN)/mypy

.PHONY: arch
arch: $(SETUP) ## Keep the layers (import-linter)
	@$(BIN)/lint-imports --cache-dir .import_linter_cache

.PHONY: check
check: lint types arch ## Format, lint, types, contracts and the fast tests; under a minute
	@$(BIN)/pytest -q -m "not slow and not servers and not kube and not node" -n 2 --dist worksteal

.PHONY: test
test: $(SETUP) lint types arch ## Every test that needs no root
	@$(BIN)/bidlock-kube build --tier api >/dev/null
	@$(BIN)/bidlock-kube build helm >/dev/null
	@$(BIN)/pytest -n 2 --dist worksteal -m "not node"

.PHONY: e2e
e2e: $(SETUP) ## Every test that needs nodes: root on Linux, or KUBECONFIG and IMAGE_REGISTRY of any cluster
	@$(if $(IMAGE_REGISTRY),,$(BIN)/bidlock-kube check)
	@BIDLOCK_KUBE=$(if $(IMAGE_REGISTRY),external,node) BIDLOCK_KUBE_NODES=2 $(BIN)/pytest tests/e2e -m node -p no:xdist --durations=10

.PHONY: cover
cover: $(SETUP) ## Every test, with coverage
	@$(BIN)/coverage run -m pytest -m "not node"
	@$(BIN)/coverage combine -q && $(BIN)/coverage report --skip-covered --show-missing

.PHONY: soak
soak: $(SETUP) ## A fleet bids, walks and is hurt; the history is checked (SECONDS=60 SEED=1 FAULTS=all)
	@tools/soak --seconds $(SECONDS) --seed $(SEED) --faults $(FAULTS)

.PHONY: crashes
crashes: $(SETUP) ## Stop the operator before and after every request of a walk and back (POINTS=all, or a number)
	@BIDLOCK_CRASH_POINTS=$(or $(POINTS),all) $(BIN)/pytest -q -s tests/operator/cluster/test_crashes.py

.PHONY: model
model: $(SETUP) ## The model checker's large runs, with every trace (ONLY=word for some)
	@$(BIN)/python tools/model $(if $(ONLY),--only "$(ONLY)")

.PHONY: bench
bench: $(SETUP) ## Measure bidlock, its peers and the floor into bench.json, bench.svg (AGAINST=earlier.json)
	@$(BIN)/bidlock bench --json bench.json --plot bench.svg $(if $(AGAINST),--against $(AGAINST))

.PHONY: docs
docs: $(SETUP) ## Build the site into site/; a dead link is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html; to look at it: $(BIN)/python -m http.server --directory site"

.PHONY: reference
reference: $(SETUP) ## Renew the pages that are made from code
	@tools/reference

.PHONY: new-plugin
new-plugin: $(SETUP) ## A new backend, green from the first minute (name=postgres into=..)
	@test -n "$(name)" || { echo 'say how it is called: make new-plugin name=postgres'; exit 2; }
	@$(BIN)/bidlock new-plugin $(name) --into $(into)

.PHONY: lock
lock: ## Renew requirements.lock from the pyproject files
	@$(UV) lock --upgrade
	@$(UV) export --quiet --all-packages --all-extras --all-groups --no-emit-workspace --format requirements.txt -o requirements.lock

.PHONY: chart
chart: $(SETUP) ## Renew what is generated from the chart: values.yaml, its README, the snapshot of its defaults
	@$(BIN)/python tools/chart
	@BIDLOCK_RENEW=1 $(BIN)/pytest -q -p no:xdist tests/chart/test_snapshot.py

.PHONY: wheels
wheels: $(SETUP) ## Build every wheel into dist/
	@$(UV) build --quiet --all-packages --wheel --out-dir dist

.PHONY: clean
clean: ## Remove everything that was set up
	@rm -rf .venv .uv dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
