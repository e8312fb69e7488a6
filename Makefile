# Everything a person types while working on Headrace. Each target works from an empty clone: it first makes
# .venv from requirements.lock (hashes checked). The second call finds the stamps and starts at once.

PYTHON ?= python3.11
UV_VERSION := 0.13.9
BIN := .venv/bin
BENCH_ARGS ?=
MINUTES ?= 10
TEST_ARGS ?=
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help install demo test clients lint check fuzz bench lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' Makefile

# The lock is installed into a new environment each time it changes, so that nothing it dropped lingers. It is
# compiled at once: a cluster and its sandboxes start many processes, some where Python may keep no bytecode.
.venv/.locked: requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is needed: install it, or set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "Making .venv from requirements.lock (once; about a minute)"
	@$(PYTHON) -m venv --clear .venv
	@$(BIN)/python -m pip install --quiet "uv==$(UV_VERSION)"
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --requirement requirements.lock
	@touch $@

# What is compiled is compiled here, where there is a C compiler.
COMPILED = $(foreach folder,gateway/protocols gateway/server/express,$(wildcard $(folder)/*.pyx $(folder)/*.pxd))
.venv/.ready: .venv/.locked pyproject.toml $(COMPILED)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --config-setting editable_mode=compat --editable .
	@touch $@

install: .venv/.ready ## Make .venv with everything pinned and the headrace command in it

demo: .venv/.ready ## Serve, canary, drift, retrain and roll back, on this machine, in a few minutes
	@$(BIN)/headrace demo

test: .venv/.ready ## Run every test, the ones with a real cluster too (TEST_ARGS="-k routing")
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not e2e" $(TEST_ARGS) || [ $$? -eq 5 ]
	@$(BIN)/python -m pytest -q -m e2e $(TEST_ARGS) || [ $$? -eq 5 ]

.clients/.ready: tests/clients/install.sh | .venv/.locked
	@echo "Putting clients and load tools into .clients (once; half a minute)"
	@PYTHON=$(PYTHON) tests/clients/install.sh

clients: .clients/.ready ## Install the clients and load tools that `make test` then drives too, into .clients

lint: .venv/.ready ## Style, types, import rules, generated files
	@echo "ruff:          style"       && $(BIN)/ruff check --quiet .
	@echo "ruff:          format"      && $(BIN)/ruff format --quiet --check .
	@echo "mypy:          types"       && $(BIN)/mypy --no-error-summary
	@echo "import-linter: layers"      && $(BIN)/lint-imports --no-cache --no-logo >.venv/imports.log 2>&1 || { cat .venv/imports.log; exit 1; }
	@echo "protos:        up to date"  && $(BIN)/python protos/generate.py --check

check: lint ## What lint looks at, and the fast tests
	@echo "pytest:        fast tests"  && $(BIN)/python -m pytest -q -n 2 --dist worksteal -m "not e2e and not slow and not clients" $(TEST_ARGS)

fuzz: .venv/.ready ## Look for inputs that break a rule, guided by coverage (MINUTES=10)
	@$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

bench: .venv/.ready ## Measure throughput beside other servers (BENCH_ARGS="--peers triton,fastapi --cases json")
	@$(BIN)/python -m benchmarks.load $(BENCH_ARGS)

lock: .venv/.locked ## Pin the newest versions that pyproject.toml allows
	@$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --all-extras --python-version 3.11 \
		--no-emit-index-url --no-header --output-file requirements.lock pyproject.toml
	@echo "requirements.lock is current; the next target installs it"

clean: ## Remove .venv and every cache
	@rm -rf .venv .clients .bench build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .fuzz .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
