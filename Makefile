# Every target sets up what it needs by itself. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CLUSTER := $(PYTHON) hack/cluster/cluster.py
# Without it every worker rewrites all assertions anew, which doubles the time to collect the tests.
WITH_BYTECODE := PYTHONDONTWRITEBYTECODE=

##@ Start here

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z0-9-]+:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(STAMP) embedded-models ## A real cluster, five broken workloads, and their diagnoses as they come
	@$(BIN)/python hack/demo/demo.py up

.PHONY: demo-down
demo-down: ## Remove everything that `make demo` made
	@$(PYTHON) hack/demo/demo.py down

.PHONY: test
test: ## Everything that CI runs: lint, types, unit tests, recorded cases, chart, integration and e2e tests
	@$(PYTHON) hack/announce.py
	@$(MAKE) --no-print-directory lint unit slow docs-test evaluate chart-test integration e2e e2e-chart

##@ Tests

.PHONY: lint
lint: $(STAMP) ## Format, lint, types, layers, generated files
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/mypy hack/*.py hack/models/*.py hack/cluster/cluster.py
	MYPYPATH=. $(BIN)/mypy --explicit-package-bases hack/demo hack/record_cases hack/model_server hack/tools hack/images
	MYPYPATH=tests:. $(BIN)/mypy --explicit-package-bases tests
	$(BIN)/lint-imports --no-logo | tail -n 3
	$(BIN)/python hack/generate_crds.py --check
	$(BIN)/python hack/settings_reference.py --check
	$(BIN)/python hack/chart_readme.py --check

.PHONY: unit
unit: $(STAMP) ## Tests of single parts, nothing else needed
	$(WITH_BYTECODE) $(BIN)/pytest tests/unit -q -m "not slow" -n auto --dist worksteal

.PHONY: slow
slow: $(STAMP) ## Those tests of single parts that take longer: hostile megabytes, real waits
	$(WITH_BYTECODE) $(BIN)/pytest tests/unit -q -m slow -n auto --dist worksteal

.PHONY: thorough
thorough: $(STAMP) ## The unit tests with 500 examples a property and hostile megabytes (long)
	$(WITH_BYTECODE) HYPOTHESIS_PROFILE=thorough $(BIN)/pytest tests/unit -q -n auto --dist worksteal -o timeout=1800

.PHONY: integration
integration: $(STAMP) embedded-models helm cluster-up ## Tests with a real API server, vector store and embedding model
	$(if $(WITH_MODEL),lines="$$($(BIN)/python hack/model_server/model_server.py up)" && export $$lines;) $(BIN)/pytest tests/integration tests/chart tests/docs -q -m integration

.PHONY: e2e
e2e: $(STAMP) embedded-models cluster-up ## The operator against a real cluster with a real kubelet
	$(BIN)/pytest tests/e2e tests/docs -q -m e2e -s

.PHONY: e2e-chart
e2e-chart: $(STAMP) images helm cluster-up ## The images and the chart on a real node: install, upgrade, kill, remove
	$(BIN)/pytest tests/e2e_chart -q -m e2e -s

.PHONY: chart-test
chart-test: $(STAMP) embedded-models helm cluster-up ## The chart with the real Helm, its alerts with promtool and a real Prometheus
	$$($(PYTHON) hack/tools/debian.py promtool) check rules --lint=all --lint-fatal charts/kausa/files/alerts.yaml
	$(WITH_BYTECODE) $(BIN)/pytest tests/chart -q -m chart -n auto --dist loadfile

.PHONY: docs-test
docs-test: $(STAMP) helm ## The docs: their links, names and commands
	$(BIN)/pytest tests/docs -q -m "not integration and not e2e"

.PHONY: evaluate
evaluate: $(STAMP) ## Diagnose the recorded cases, all of which must pass, and those that only a model can
	$(BIN)/kausa eval tests/cases --min 100
	$(BIN)/kausa eval tests/cases_for_models

.PHONY: eval-model
eval-model: $(STAMP) ## The recorded cases by the local model alone, beside the rules (an hour or more; MODEL=1.5b)
	lines="$$($(BIN)/python hack/model_server/model_server.py up --model $(or $(MODEL),0.5b))" && export $$lines KAUSA_MODEL_PROMPT_TOKENS=1300 KAUSA_MODEL_TIMEOUT_SECONDS=1200 KAUSA_MODEL_TOKENS_PER_HOUR=0; \
	mkdir -p dist && $(BIN)/kausa eval $(or $(CASES),tests/cases) --model --without-rules --json dist/model-eval.json $(EVAL)
	PYTHONPATH=tests $(BIN)/python -m bench.model_eval audit dist/model-eval.json

.PHONY: record-cases
record-cases: $(STAMP) cluster-up ## Record tests/cases anew on a real node (10 minutes; ONLY="image crash" for some)
	$(BIN)/python -m hack.record_cases --kubeconfig "$$($(CLUSTER) kubeconfig)" --only $(ONLY)

.PHONY: bench
bench: $(STAMP) embedded-models ## Measure what a diagnosis costs on this machine
	PYTHONPATH=tests $(BIN)/python tests/bench/bench_pipeline.py

.PHONY: bench-watch
bench-watch: $(STAMP) ## What a change costs our watch, Kopf, the official client and lightkube
	PYTHONPATH=tests $(BIN)/python -m bench.watch.run $(BENCH)

.PHONY: bench-faults
bench-faults: $(STAMP) embedded-models cluster-up ## Kill, cut, stop and forget: count what is lost and doubled (20 minutes)
	PYTHONPATH=tests $(BIN)/python -m bench.faults.run

.PHONY: bench-logs
bench-logs: $(STAMP) ## Read logs of 100 MB, find the needle in each, and tell the memory it took
	PYTHONPATH=tests $(BIN)/python tests/bench/bench_logs.py $(BENCH)

.PHONY: bench-redaction
bench-redaction: $(STAMP) ## Plant 10,000 secrets of 40 kinds and look for each in all that leaves
	PYTHONPATH=tests $(BIN)/python -m bench.redaction $(BENCH)

.PHONY: bench-embedder
bench-embedder: $(STAMP) embedded-models ## The hardware's limit, fastembed, our engine, and our worker over HTTP
	PYTHONPATH=tests $(BIN)/python -m bench.embedder $(BENCH)

.PHONY: bench-embedder-load
bench-embedder-load: $(STAMP) embedded-models ## Overload the embedding worker for a minute, then soak it for ten
	PYTHONPATH=tests $(BIN)/python -m bench.embedder_load $(BENCH)

.PHONY: bench-memory
bench-memory: $(STAMP) embedded-models ## Speed of the memory's stores at 10k, 100k and 300k, beside brute force
	PYTHONPATH=tests $(BIN)/python -m bench.memory $(BENCH)

.PHONY: bench-memory-faults
bench-memory-faults: $(STAMP) ## Kill the store's process and the operator 50 times each: count what is lost and doubled
	PYTHONPATH=tests $(BIN)/python -m bench.memory.faults $(BENCH)

.PHONY: bench-recall
bench-recall: $(STAMP) embedded-models ## How often the right runbook or failure comes first, by each way of searching
	PYTHONPATH=tests $(BIN)/python -m bench.recall $(BENCH)

.PHONY: bench-model
bench-model: $(STAMP) cluster-up ## A thousand owners fail at once beside one slow model: facts, order, budget
	PYTHONPATH=tests $(BIN)/python -m bench.model $(BENCH)

.PHONY: bench-storm
bench-storm: $(STAMP) cluster-up ## 20,000 pods on fake nodes, 5,000 of 50 Deployments fail at once
	PYTHONPATH=tests $(BIN)/python -m bench.storm $(BENCH)

##@ Parts

.PHONY: install
install: $(STAMP) ## Make .venv with everything pinned and hashed

$(STAMP): requirements/dev.txt pyproject.toml
	@echo "install: .venv from requirements/dev.txt (about 40 s when nothing is cached)"
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("kausa needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name one: make PYTHON=python3.12 ...")'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

.PHONY: embedded-models
embedded-models: $(STAMP) ## Fetch and verify the embedding model (23 MB, once)
	@$(BIN)/python hack/models/fetch.py

.PHONY: images
images: $(STAMP) embedded-models ## Build the images with docker or buildah and print their sizes
	@$(BIN)/python hack/images/build.py $(IMAGES)

.PHONY: helm
helm: ## Find Helm on PATH, or build the pinned one (once, 2 minutes), and print where it is
	@$(PYTHON) hack/tools/tools.py helm

.PHONY: references
references: $(STAMP) ## Write docs/configure.md and the chart's README and schema from the settings and values
	$(BIN)/python hack/settings_reference.py
	$(BIN)/python hack/chart_readme.py

.PHONY: crds
crds: $(STAMP) ## Write crds/ and the chart's copies from the models in kausa.resources
	$(BIN)/python hack/generate_crds.py

.PHONY: cluster-up
cluster-up: ## Start a real local cluster (the first time builds Kubernetes: some minutes)
	@$(CLUSTER) up

.PHONY: cluster-down
cluster-down: ## Stop it and undo all that it changed on this machine
	@$(CLUSTER) down

.PHONY: model-up
model-up: $(STAMP) ## Start a real model server and print where it is (the first time builds it: 4 minutes; MODEL=1.5b)
	@$(BIN)/python hack/model_server/model_server.py up --model $(or $(MODEL),0.5b)

.PHONY: model-down
model-down: ## Stop it; what was built and downloaded stays in ~/.cache/kausa
	@$(PYTHON) hack/model_server/model_server.py down

.PHONY: lock
lock: $(STAMP) ## Pin requirements/*.txt anew from pyproject.toml
	$(BIN)/python hack/lock.py

.PHONY: format
format: $(STAMP) ## Format and fix what can be fixed
	$(BIN)/ruff format --quiet
	$(BIN)/ruff check --fix --quiet

.PHONY: clean
clean: ## Remove what was built in this folder (not the caches in ~/.cache/kausa)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
