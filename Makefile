# Every target makes its own environment: nothing but Python 3.11+ and make is needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
JOBS ?= 2

.PHONY: demo test check bench soak-short long corpora lock clean

demo: $(STAMP)
	$(BIN)/practice-intake demo --no-wait --dir build/demo

test: $(STAMP)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not long"

check: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(STAMP)
	$(BIN)/python benchmarks/worker.py

# The kill test with many more kills, a minute or two.
soak-short: $(STAMP)
	$(BIN)/python benchmarks/soak.py --rounds 12

# Full matrices; bars that take over a minute.
long: $(STAMP)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

# Tries the program on a folder of files that others wrote: make corpora DIR=/some/folder
corpora: $(STAMP)
	$(BIN)/python benchmarks/corpora.py "$(DIR)"

$(STAMP): requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=/path/to/python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(STAMP)

# Needs uv; run by hand after a change of dependencies in pyproject.toml.
lock:
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header --no-annotate -o requirements.lock

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache
