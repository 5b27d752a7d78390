# The project's verbs. `make demo` and `make test` set themselves up; CI calls the same ones.

PYTHON ?= python3
TAG ?= latest
VENV := .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
  --no-header --no-emit-index-url --no-annotate
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo report test check images lock clean

help: ## List the verbs.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## Run the whole story on this machine: 0 to 4 consumers and back.
	$(BIN)/tidemill demo

report: $(VENV)/.run ## Write REPORT.md from the last demo.
	$(BIN)/tidemill report

test: check ## Check everything and run the tests.
	$(BIN)/pytest

check: $(VENV)/.dev ## Format, lint, types, import rules, template.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint template.yaml

images: ## Build both images for this machine; BASE= takes another base, TAG= another tag.
	docker build $(if $(BASE),--build-arg BASE=$(BASE)) --file images/consumer/Dockerfile \
	  --tag tidemill/consumer:$(TAG) images
	docker build $(if $(BASE),--build-arg BASE=$(BASE)) --file images/producer/Dockerfile \
	  --tag tidemill/producer:$(TAG) images

lock: $(VENV)/.dev ## Pin every dependency anew, with hashes, from pyproject.toml.
	$(COMPILE) --upgrade pyproject.toml -o requirements/run.txt
	$(COMPILE) --constraint requirements/run.txt --extra dev pyproject.toml \
	  -o requirements/dev.txt
	$(COMPILE) --constraint requirements/run.txt images/consumer/requirements.in \
	  -o images/consumer/requirements.txt
	$(COMPILE) --constraint requirements/run.txt images/producer/requirements.in \
	  -o images/producer/requirements.txt

clean: ## Remove everything that the verbs made.
	rm -rf $(VENV) build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(BIN)/python requirements/run.txt pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements/run.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(BIN)/python requirements/dev.txt pyproject.toml
	$(PIP) install --quiet --require-hashes -r requirements/dev.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run
