# make demo: watch a simulated team at work.   make test: everything that must hold.   make help: the rest.
# Needs python3 (3.11 or newer) and tmux; makes its own .venv. Works with GNU make 3.81 (macOS) and newer.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
PYTEST_ARGS ?=
DEMO_ARGS ?=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test lint types contracts tests bench picture keys clean need-tmux

help:
	@echo "make demo      watch a simulated team of six agents work (leaves nothing behind)"
	@echo "make test      lint, types, layer contracts, tests, coverage"
	@echo "make bench     measure what the README says about speed"
	@echo "make picture   draw docs/screen.svg again"
	@echo "make lint      style alone; also: make types, make contracts, make tests"
	@echo "make clean     remove everything that make made"

demo: need-tmux $(VENV)/.installed
	@$(BIN)/teamops demo $(DEMO_ARGS)

test: need-tmux lint types contracts tests

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.installed-dev
	$(BIN)/mypy

contracts: $(VENV)/.installed-dev
	$(BIN)/lint-imports

# The rules and the grammar are measured alone: tracing the rest would slow down tests that look at the clock.
tests: need-tmux $(VENV)/.installed-dev
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -q -n 2 --dist worksteal --cov=teamops.domain --cov=teamops.handoff --cov-branch --cov-report= $(PYTEST_ARGS)
	@$(BIN)/coverage report --include='teamops/domain/*,teamops/handoff/*' --fail-under=100 --skip-covered --show-missing

bench: need-tmux $(VENV)/.installed-dev
	@$(BIN)/python -m benchmarks

picture: $(VENV)/.installed
	$(BIN)/python -m teamops.tui.picture docs/screen.svg

keys: $(VENV)/.installed
	@$(BIN)/python -m teamops.tui.keys

clean:
	rm -rf $(VENV) build dist .coverage .coverage.* htmlcov .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find teamops tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# What a person is told to type when a tool is missing, by the package manager that is there.
# $(1): apt package, $(2): dnf package, $(3): brew package, $(4): pacman package.
install_line = sudo="sudo "; [ "$$(id -u)" != 0 ] || sudo=; \
	if command -v apt-get >/dev/null 2>&1; then echo "  install it with: $${sudo}apt-get install -y $(1)"; \
	elif command -v dnf >/dev/null 2>&1; then echo "  install it with: $${sudo}dnf install -y $(2)"; \
	elif command -v pacman >/dev/null 2>&1; then echo "  install it with: $${sudo}pacman -S $(4)"; \
	elif command -v brew >/dev/null 2>&1; then echo "  install it with: brew install $(3)"; \
	elif [ "$$(uname)" = Darwin ]; then echo "  install Homebrew, then: brew install $(3)"; \
	else echo "  install the package $(1) with your system's package manager"; fi

need-tmux:
	@command -v tmux >/dev/null 2>&1 || { { echo "teamops: tmux is missing"; $(call install_line,tmux,tmux,tmux,tmux); } >&2; exit 1; }

$(VENV)/.python:
	@command -v $(PYTHON) >/dev/null 2>&1 || \
	  { { echo "teamops: $(PYTHON) is missing"; $(call install_line,python3 python3-venv,python3,python,python); } >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "teamops: needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) --version 2>&1); name another: make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' >/dev/null 2>&1 || \
	  { { echo "teamops: $(PYTHON) can't make a virtual environment (its venv or ensurepip is missing)"; \
	      $(call install_line,python3-venv,python3-pip,python,python); } >&2; exit 1; }
	@$(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/.installed: pyproject.toml $(VENV)/.python
	@echo "teamops: installing into $(VENV) (first time only)"
	@$(PIP_INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: pyproject.toml $(VENV)/.python
	@echo "teamops: installing into $(VENV), with what the tests need (first time only)"
	@$(PIP_INSTALL) -e '.[dev]'
	@touch $(VENV)/.installed $@
