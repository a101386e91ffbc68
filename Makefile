# Every word here sets up what it needs first: see scripts/bootstrap.sh.
#   make test ARGS="tests/ct -k frontier"     hands ARGS on to the program behind the word
#   make test PYTHON=python3.12               makes .venv with that interpreter, if there is none

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test check format bench docs peers dev lock clean

BIN := .venv/bin
ARGS ?=
WORKERS ?= auto
export PYTHON

help: ## list these words
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: dev ## play an attack in a world on loopback, and watch it being noticed
	$(BIN)/pinwarden demo $(ARGS)

test: dev ## run every test
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: dev ## format, lint and types, as CI wants them
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: dev ## rewrite the code into the house's format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: dev ## measure time and memory of following logs and of checking CAA
	$(BIN)/python -m benchmarks $(ARGS)

docs: dev ## build the documentation site into docs/_build/html
	@scripts/bootstrap.sh docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html $(ARGS)
	@echo "open docs/_build/html/index.html"

peers: ## install the foreign programs that peer tests talk to, where this machine can
	@scripts/peers.sh

dev: ## only set up .venv
	@scripts/bootstrap.sh

lock: dev ## pin the newest allowed versions again (ARGS=--upgrade moves every pin)
	@scripts/lock.sh $(ARGS)

clean: ## remove everything that these words made
	rm -rf .venv .peers docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
