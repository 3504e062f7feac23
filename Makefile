# Caspian Hub: everything a fresh machine with python3 (>= 3.11) and make needs.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
# Most tests wait for processes of their own: two workers for each core are quicker than one.
WORKERS ?= $(shell $(PYTHON) -c 'import os; print(2 * (os.cpu_count() or 1))')

# Tests and demonstration start dozens of processes, and none should compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test long check bench soak lock schemas texts screenshots clean help

help:  ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Caspian Hub needs Python 3.11 or newer; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: $(STAMP)  ## set up, then run the hub with a live demonstration
	@$(BIN)/caspian demo

test: $(STAMP)  ## set up, then pass the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

long: $(STAMP)  ## the long tests, which a submission must pass too
	$(BIN)/python -m pytest -m "long and not soak" -n $(WORKERS) --dist loadfile --no-loadscope-reorder

check: $(STAMP)  ## format, lint, types, import rules, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/docs

soak: $(STAMP)  ## long chaos, growth and fuzz runs
	$(BIN)/python -m pytest -m soak --timeout 3600
	$(BIN)/python -m pytest --hypothesis-profile thorough -n $(WORKERS) --timeout 3600 tests/core tests/schemas

bench: $(STAMP)  ## measure, beside a peer in the same run
	$(BIN)/python bench/end_to_end.py

lock: $(STAMP)  ## resolve the exact versions anew
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --group dev -o requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml -c requirements.lock -o requirements-run.lock

schemas: $(STAMP)  ## write the JSON Schemas of all messages anew
	$(BIN)/python -m schemas.json_schemas

texts: $(STAMP)  ## bring the catalogues of the six languages up to date
	$(BIN)/python -m hub.i18n.collect

screenshots: $(STAMP)  ## take the pictures of the console anew (needs chromium)
	$(BIN)/python deploy/screenshots.py

clean:  ## remove everything that was built or run
	rm -rf $(VENV) .caspian dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
