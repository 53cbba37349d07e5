PYTHON ?= python3
IN = .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test check bench fmt docs lock venv venv-dev

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' Makefile

run: venv ## Install, start everything here, print the address (Ctrl-C stops it)
	@exec $(IN) manage.py up

test: venv-dev ## Run every test this machine can run, and say what was left out
	@exec $(IN) -m tests

check: venv-dev ## Lint, types, import contracts, migrations, deployment, generated docs, templates
	@exec $(IN) -m tests.check

bench: venv-dev ## Measure what the documentation claims, and print the table
	@exec $(IN) -m bench

fmt: venv-dev ## Format the code and the templates
	$(IN) -m ruff check --fix --quiet .
	$(IN) -m ruff format --quiet .
	$(IN) -m djhtml --tabwidth 2 templates

docs: venv-dev ## Write docs/generated again
	$(IN) manage.py generate_docs

lock: venv-dev ## Compile requirements*.txt from pyproject.toml
	$(IN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		pyproject.toml --output-file requirements.txt
	$(IN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url \
		--extra dev --constraint requirements.txt pyproject.toml --output-file requirements-dev.txt

venv:
	@$(PYTHON) deploy/install.py requirements.txt

venv-dev:
	@$(PYTHON) deploy/install.py requirements.txt requirements-dev.txt
