# make run: set up and travel the journey.   make test: set up and pass the tests.   Python 3.11+ and pip; nothing else.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: setup setup-dev run up test contract-tests check format bench contracts clean

setup: .venv/run.stamp

.venv/run.stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Trivium needs Python 3.11 or newer; run make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

setup-dev: .venv/dev.stamp

.venv/dev.stamp: .venv/run.stamp requirements-dev.lock requirements-clients.lock
	$(PIP) --require-hashes -r requirements-dev.lock
	$(PIP) --no-deps --require-hashes -r requirements-clients.lock
	@if command -v npm >/dev/null; then for place in tests/sandbox/js tests/governance/clients/js tests/browser; do \
		npm ci --silent --no-audit --no-fund --ignore-scripts --prefix $$place || echo "npm could not install $$place: its tests are skipped"; done; fi
	@touch $@

# make run once=1 ends after the journey, with its exit code
run: setup
	$(BIN)/trivium up --journey $(if $(once),--once) $(if $(split),--split)

up: setup
	$(BIN)/trivium up $(if $(split),--split)

test: setup-dev
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile $(if $(k),-k "$(k)")

# what it finds is evidence: trivium contracts publish asks for it
contract-tests: setup-dev
	TRIVIUM_EVIDENCE=$${TRIVIUM_EVIDENCE:-.trivium/evidence} $(BIN)/python -m pytest tests/contract_tests

check: setup-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/trivium contracts check

format: setup-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

contracts: setup
	$(BIN)/trivium contracts draft

bench: setup-dev
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv .trivium
