# Neraca's house: `make run` and `make test` do all their own set-up in .venv, once for each lock file.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
PORT ?= 8000
PYTEST ?= --numprocesses 2 --dist loadfile
# What `make test` leaves out waits for servers, kills and browsers more than it computes.
PYTEST_ALL ?= --numprocesses 3 --dist loadfile
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help run quick test test-all check format bench bench-kafka soak docs pictures lock advisories sbom images clean postgres-up postgres-down kafka-up kafka-down

help:
	@echo "make run     a simulated city at http://127.0.0.1:$(PORT)/   (neraca up --demo --open)"
	@echo "make quick   the domain, its laws on few examples, and one history of each part: half a minute"
	@echo "make test    what a change needs to be trusted; the end names what was left out, and why"
	@echo "make test-all  what make test leaves out: every fault, kill, guard and page"
	@echo "make check   ruff, mypy, import-linter, and the tests that hold the style"
	@echo "make format  lay the code out as make check wants it"
	@echo "make bench   measure, against the committed ratios"
	@echo "make bench-kafka   the same of many processes: a real PostgreSQL and Kafka of its own, and baselines beside"
	@echo "make soak    the long laws, 200 kills of a real process (KILLS=200), every fault"
	@echo "             of many processes (CHAOS=1.0), 2,000 simulated clusters (SEEDS=2000),"
	@echo "             2,000 rounds of simulated counters over broken networks (ROUNDS=2000),"
	@echo "             a million rows of random files (ROWS=1000000),"
	@echo "             the program without each of its guards, and a minute of the board on four screens"
	@echo "make postgres-up, make kafka-up      a real one on this machine over var/local; prints the setting to export"
	@echo "make postgres-down, make kafka-down  stop it; its data stays"
	@echo "make pictures  every page as a picture, for docs/reference/pages.md (needs chromium)"
	@echo "make docs    the documents as a site in build/site, made offline"
	@echo "make lock    resolve the lock files anew"
	@echo "make advisories  known vulnerabilities of the pinned packages, by pip-audit; says so when nothing can be known"
	@echo "make sbom    the bill of materials, as CycloneDX, in build/sbom.json"
	@echo "make images  write the digests of the images behind their tags (needs Docker and a network)"
	@echo "make clean   everything that was made, except .venv and var"

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Neraca needs Python 3.11 or later; none was found (PYTHON=… names one)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "no virtual environment: on Debian and Ubuntu, apt-get install python3-venv" >&2; exit 1; }

# The program by itself. Set-up for the tests holds all of it, and counts as this too.
$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes --requirement requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/test.stamp: requirements-test.lock pyproject.toml | $(BIN)/python
	$(PIP) install --quiet --require-hashes --requirement requirements-test.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/run.stamp

run: $(VENV)/run.stamp
	$(BIN)/neraca up --demo --open --port $(PORT)

quick: $(VENV)/test.stamp
	$(BIN)/python -m pytest $(PYTEST) --speed quick

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest $(PYTEST) --speed test

test-all: $(VENV)/test.stamp
	$(BIN)/python -m pytest $(PYTEST_ALL) --speed rest

check: $(VENV)/test.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m pytest -q --speed quick tests/tidy

format: $(VENV)/test.stamp
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks embedded

bench-kafka: $(VENV)/test.stamp
	$(BIN)/python -m benchmarks scaled

KILLS ?= 200
CHAOS ?= 1.0
SEEDS ?= 2000
ROUNDS ?= 2000
ROWS ?= 1000000
soak: $(VENV)/test.stamp
	NERACA_LAWS=long $(BIN)/python -m pytest tests/laws
	$(BIN)/python -m tests.soak.kill --kills $(KILLS) --report tests/soak/REPORT-kill.md
	$(BIN)/python -m tests.soak.chaos --scale $(CHAOS) --report tests/soak/REPORT-chaos.md
	$(BIN)/python -m tests.soak.simulation --seeds $(SEEDS) --report tests/soak/REPORT-simulation.md
	$(BIN)/python -m tests.soak.counters --rounds $(ROUNDS) --report tests/soak/REPORT-counters.md
	$(BIN)/python -m tests.soak.files --rows $(ROWS) --report tests/soak/REPORT-files.md
	$(BIN)/python -m tests.soak.guards --report tests/soak/REPORT-guards.md
	$(BIN)/python -m pytest --numprocesses 0 --speed soak -s tests/pages/test_still.py -k minute

docs: $(VENV)/test.stamp
	$(BIN)/mkdocs build --quiet --strict

pictures: $(VENV)/test.stamp
	$(BIN)/python -m tests.pages.pictures

# Only the standard library: the program need not be set up for these.
postgres-up: | $(BIN)/python
	@$(BIN)/python -m local up postgres

postgres-down: | $(BIN)/python
	@$(BIN)/python -m local down postgres

kafka-up: | $(BIN)/python
	@$(BIN)/python -m local up kafka

kafka-down: | $(BIN)/python
	@$(BIN)/python -m local down kafka

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-annotate
lock: $(VENV)/test.stamp
	$(PIP) install --quiet uv
	$(LOCK) --extra build pyproject.toml --output-file requirements.lock
	$(LOCK) --extra kafka --extra postgres pyproject.toml --output-file requirements-scaled.lock
	$(LOCK) --extra build --extra kafka --extra postgres --extra test pyproject.toml --output-file requirements-test.lock

# Only the standard library, as above; pip-audit gets an environment of its own.
advisories: | $(BIN)/python
	@$(BIN)/python -m local.advisories

sbom: | $(BIN)/python
	@$(BIN)/python -m local.sbom build/sbom.json

images: | $(BIN)/python
	@$(BIN)/python -m local.images

clean:
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist tests/soak/work
	find . -name __pycache__ -not -path './$(VENV)/*' -exec rm -rf {} +
