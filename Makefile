# The project's commands. `make demo` and `make test` install what they need; CI runs the same targets.

PYTHON ?= python3
TAG ?= latest
ENV ?= default
VENV := .venv
BIN := $(VENV)/bin
# Programs whose pinned versions conflict with the project's: each has an environment of its own.
SAM := .venv-deploy/bin/sam
CHECKOV := .venv-lint/bin/checkov
LOCALSTACK := .venv-localstack
COMPILE_HERE := $(BIN)/uv pip compile -q --python-version 3.11 --generate-hashes \
  --no-header --no-emit-index-url --no-annotate
COMPILE := $(COMPILE_HERE) --universal
PIP := $(BIN)/python -m pip --disable-pip-version-check
ENVIRONMENTS := $(VENV)/.dev .venv-deploy/.done .venv-lint/.done .venv-aws/.done .venv-ansible/.done .venv-mutants/.done $(LOCALSTACK)/.done
# Tests of containers and playbooks mostly wait, so `make --jobs 2 test` runs the other tests meanwhile.
OUTSIDE := tests/ansible tests/ci tests/compose tests/images
PYTEST = . build/engine.sh && MAKEFLAGS= $(BIN)/pytest # MAKEFLAGS is empty because some tests run make themselves
# Tests of these, which start programs, mostly wait, too, and each has servers and queues of its own.
PROGRAMS := tests/consumer tests/producer tests/shared tests/dead_letters tests/ledger
# One process for each core, up to four: each of them spends 5 s on importing all tests.
PARALLEL := --numprocesses logical --maxprocesses 4
# Of `make soak`.
SEEDS ?= 1 2 3 4 5
WORLDS ?= processes containers
# Lock files of everything that is installed anywhere: what ships comes first.
AUDITED := $(wildcard images/*/requirements.txt) requirements/run.txt $(filter-out requirements/run.txt,$(wildcard requirements/*.txt)) \
  localstack/requirements.txt benchmarks/peers/requirements.txt
VALID := import sys; from pathlib import Path; from cyclonedx.schema import SchemaVersion; \
  from cyclonedx.validation.json import JsonStrictValidator; check = JsonStrictValidator(SchemaVersion.V1_6); \
  sys.exit("\n".join(f"{f}: {e}" for f in sys.argv[1:] if (e := check.validate_str(Path(f).read_text()))) or 0)
# Of `make fuzz`: cases, the seed, and inputs of each target that is guided by coverage.
CASES ?= 1000000
SEED ?= 1
RUNS ?= 50000
GUIDED := messages traces template-texts user-data expressions
COVERED := scaling simulator consumer producer

export SAM_CLI_TELEMETRY := 0
ifeq ($(ENV),local)
# An emulator replaces AWS; it never gets your credentials.
export AWS_ENDPOINT_URL ?= http://localhost:4566
export AWS_ACCESS_KEY_ID := test
export AWS_SECRET_ACCESS_KEY := test
unexport AWS_PROFILE AWS_SESSION_TOKEN
endif

.DEFAULT_GOAL := help
.PHONY: help demo report docs quick pure test test-outside test-inside gate coverage mutants browser fuzz soak universes engine check code validate images deploy push outputs delete sbom audit ansible lock clean

help: ## List the targets.
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## Make a complete run on this machine: from 0 to 4 consumers and back to 0.
	$(BIN)/tidemill demo

report: $(VENV)/.run ## Write REPORT.md from the last demo, the simulator and a comparison of policies.
	$(BIN)/tidemill report

docs: $(VENV)/.run ## Write docs/settings.md from the consumer's table of settings.
	$(BIN)/python -m tidemill.report.settings_page > docs/settings.md

quick: $(VENV)/.dev ## Check format, lint, types and import rules, and run the pure tests: before each commit, under a minute.
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target code pure

pure: $(VENV)/.dev
	$(BIN)/pytest $(PARALLEL) --pure --quiet

test: check test-outside test-inside ## Check everything and run the tests; where CI is set, start a Docker engine for them.

test-outside: engine $(ENVIRONMENTS)
	$(PYTEST) $(OUTSIDE)

# Tests that only compute, and those of the programs, use every core; the rest, which starts whole
# fleets and measures their times, runs one after the other.
test-inside: engine $(ENVIRONMENTS)
	$(PYTEST) $(OUTSIDE:%=--ignore %) -m "not impure" $(PARALLEL)
	$(PYTEST) $(PROGRAMS) -m impure $(PARALLEL) --dist loadfile
	$(PYTEST) $(OUTSIDE:%=--ignore %) $(PROGRAMS:%=--ignore %) -m impure

# Each run keeps its figures in build/soak/WORLD-SEED/summary.json, from which `make report` takes them.
soak: $(VENV)/.run ## Send 10,000 messages under faults, with 5 seeds, in processes and containers: about an hour; SEEDS=, WORLDS=.
	$(if $(filter containers,$(WORLDS)),$(MAKE) images TAG=soak $(if $(BASE),BASE=$(BASE)))
	@failed=; for world in $(WORLDS); do for seed in $(SEEDS); do \
	  $(BIN)/tidemill chaos soak --world $$world --seed $$seed --image tidemill/consumer:soak || failed=1; \
	done; done; test -z "$$failed"

gate: $(VENV)/.dev ## Break the producer and the worker on purpose in fifteen ways, and check that the ledger sees each.
	GATE=1 $(BIN)/pytest tests/ledger/test_gate.py --verbose

fuzz: $(VENV)/.dev ## Give hostile input to all that reads what others write; CASES=1000000 SEED=1 RUNS=50000.
	PYTHONPATH=tests $(BIN)/python -m support.fuzz --cases $(CASES) --seed $(SEED)
	@mkdir -p build
	$(PIP) install --quiet --no-deps --require-hashes --target build/atheris -r requirements/fuzz.txt \
	  || { echo "atheris does not install here, so nothing is guided by coverage"; exit 0; }; \
	for target in $(GUIDED); do \
	  PYTHONPATH=tests:build/atheris $(BIN)/python -m support.fuzz.guided $$target -runs=$(RUNS) \
	    -seed=$(SEED) -timeout=10 -artifact_prefix=build/ 2> build/fuzz-$$target.log \
	    || { tail -40 build/fuzz-$$target.log; exit 1; }; tail -1 build/fuzz-$$target.log; \
	done

universes: $(VENV)/.dev ## Try the consumer in 100,000 simulated worlds: about 15 minutes; UNIVERSE=7 replays one, FIRST= takes others.
	PYTHONPATH=tests $(BIN)/python -m support.universes $(if $(UNIVERSE),--seed $(UNIVERSE),--first $(or $(FIRST),0))

coverage: $(VENV)/.dev ## Measure the branch coverage of scaling, simulator, consumer and producer.
	$(BIN)/pytest $(PARALLEL) --quiet --cov --cov-report term $(COVERED:%=tests/%)

browser: $(VENV)/.dev ## Try from a real Chromium what a foreign page can do to a rig; BROWSER= is its path.
	BROWSER="$(BROWSER)" $(BIN)/pytest tests/rig/door/browser_check.py

mutants: $(VENV)/.dev .venv-mutants/.done ## Put faults into modules changed since BASE=HEAD~1, or MODULES=, and see which ones their pure tests miss.
	$(BIN)/python -m benchmarks.mutants $(if $(BASE),--base $(BASE)) $(MODULES)

engine:
	@mkdir -p build
	$(if $(CI),.ci/engine,true) > build/engine.sh

check: code validate ## Check format, lint, types, import rules and the template.

code: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

validate: $(VENV)/.dev .venv-deploy/.done .venv-lint/.done ## Check the templates with SAM, cfn-lint, checkov and tidemill lint.
	$(SAM) validate --lint --region eu-west-1
	$(BIN)/cfn-lint template.yaml ami.yaml
	$(BIN)/tidemill lint template.yaml
	$(CHECKOV) --quiet --compact --skip-download --framework cloudformation --file template.yaml --file ami.yaml

images: ## Build both images for this machine; BASE= takes another base, TAG= another tag.
	docker build $(if $(BASE),--build-arg BASE=$(BASE)) --file images/consumer/Dockerfile \
	  --tag tidemill/consumer:$(TAG) images
	docker build $(if $(BASE),--build-arg BASE=$(BASE)) --file images/producer/Dockerfile \
	  --tag tidemill/producer:$(TAG) images

deploy: $(VENV)/.run .venv-deploy/.done ## Create or update the stack; ENV=dev or local for another one.
	$(BIN)/python -m tidemill.release --env $(ENV) deploy --sam $(SAM)

push: $(VENV)/.run ## Build both images and push them to the stack's registries; ARCH=arm64 or amd64 for the producer's.
	$(BIN)/python -m tidemill.release --env $(ENV) push $(if $(ARCH),--arch $(ARCH))

outputs: $(VENV)/.run ## Print the stack's outputs, a line with name and value for each.
	@$(BIN)/python -m tidemill.release --env $(ENV) outputs

delete: $(VENV)/.run .venv-deploy/.done ## Delete the stack and everything in it, messages and images too; YES=1 does not ask.
	$(BIN)/python -m tidemill.release --env $(ENV) delete --sam $(SAM) $(if $(YES)$(filter local,$(ENV)),--yes)

sbom: $(VENV)/.run .venv-audit/.done ## Write what the wheel and both images (TAG=) contain to build/sbom, as CycloneDX, and check the files.
	$(BIN)/python -m tidemill.release.sbom_files --tag $(TAG)
	.venv-audit/bin/python -c '$(VALID)' build/sbom/*.cdx.json

audit: .venv-audit/.done ## Ask PyPI's advisories about every pinned dependency; what cannot be asked about is a failure.
	@for lock in $(AUDITED); do echo "$$lock:"; .venv-audit/bin/pip-audit --strict --disable-pip \
	  --require-hashes --progress-spinner off -r $$lock || failed="$$failed $$lock"; done; \
	test -z "$$failed" || { echo "not sound, or not checked:$$failed"; exit 1; }

ansible: .venv-ansible/.done ## Install Ansible, for the playbooks that install the agent and build machine images.

lock: $(VENV)/.dev ## Pin every dependency again, with hashes, from pyproject.toml and *.in.
	$(COMPILE) --upgrade pyproject.toml -o requirements/run.txt
	$(COMPILE) --constraint requirements/run.txt --extra dev pyproject.toml \
	  -o requirements/dev.txt
	$(COMPILE) --constraint requirements/run.txt images/consumer/requirements.in \
	  -o images/consumer/requirements.txt
	$(COMPILE) --constraint requirements/run.txt images/producer/requirements.in \
	  -o images/producer/requirements.txt
	$(COMPILE) --upgrade requirements/deploy.in -o requirements/deploy.txt
	$(COMPILE) --upgrade requirements/lint.in -o requirements/lint.txt
	$(COMPILE_HERE) --upgrade requirements/fuzz.in -o requirements/fuzz.txt
	$(COMPILE) --upgrade requirements/aws.in -o requirements/aws.txt
	$(COMPILE) --upgrade requirements/ansible.in -o requirements/ansible.txt
	$(COMPILE) --upgrade requirements/audit.in -o requirements/audit.txt
	$(COMPILE) --upgrade requirements/mutants.in -o requirements/mutants.txt
	$(COMPILE) --upgrade benchmarks/peers/requirements.in -o benchmarks/peers/requirements.txt
	rm -rf build/localstack && mkdir -p build/localstack # localstack-core runs only with the versions that its release pins
	$(PIP) download --quiet --no-deps --no-binary localstack-core --dest build/localstack \
	  $$(sed -n 's/^localstack-core\[runtime\]/localstack-core/p' requirements/localstack.in)
	tar -xzf build/localstack/*.tar.gz -C build/localstack --strip-components 1
	$(COMPILE_HERE) --constraint build/localstack/requirements-runtime.txt \
	  requirements/localstack.in -o requirements/localstack.txt
	rm -rf build/localstack-image && mkdir -p build/localstack-image
	$(PIP) download --quiet --no-deps --no-binary localstack-core --dest build/localstack-image \
	  $$(sed -n 's/^localstack-core\[runtime\]/localstack-core/p' localstack/requirements.in)
	tar -xzf build/localstack-image/*.tar.gz -C build/localstack-image --strip-components 1
	$(subst 3.11,3.13,$(COMPILE_HERE)) \
	  --constraint build/localstack-image/requirements-runtime.txt \
	  localstack/requirements.in -o localstack/requirements.txt

clean: ## Remove everything that the targets created.
	rm -rf $(VENV) .venv-deploy .venv-lint .venv-aws .venv-ansible .venv-audit .venv-mutants $(LOCALSTACK) .aws-sam build .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The lock files are complete. Without --no-deps, pip would look for newer versions of what an extra needs, such as
# coverage[toml], and then refuse them because they have no hash.
$(VENV)/.run: $(BIN)/python requirements/run.txt pyproject.toml
	$(PIP) install --quiet --no-deps --require-hashes -r requirements/run.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(BIN)/python requirements/dev.txt pyproject.toml
	$(PIP) install --quiet --no-deps --require-hashes -r requirements/dev.txt
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/.run

.venv-deploy/.done .venv-lint/.done .venv-aws/.done .venv-ansible/.done .venv-audit/.done .venv-mutants/.done $(LOCALSTACK)/.done: .venv-%/.done: requirements/%.txt $(BIN)/python
	$(PYTHON) -m venv .venv-$*
	.venv-$*/bin/python -m pip --disable-pip-version-check install --quiet --no-deps \
	  --require-hashes -r $<
	@touch $@
