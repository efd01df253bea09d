# make serve   answers the zones in zones/ on 127.0.0.1:5300 (UDP and TCP)
# make test    the whole test suite
# Both make .venv on the first call and install into it. PYTHON=python3.12 picks another interpreter.

PYTHON ?= python3
BIN := .venv/bin
# More than there are cores: many tests wait for a server to start.
WORKERS = $(shell $(BIN)/python -c 'import os; print(2 * (os.cpu_count() or 1))')

# Tests start hundreds of servers, and each would compile dnsemu anew where the environment forbids to keep that.
test: export PYTHONDONTWRITEBYTECODE =

.PHONY: serve test clean

serve: .venv/serves
	@$(BIN)/dnsemu serve zones/

test: .venv/tests
	@$(BIN)/pytest -q -n $(WORKERS) --dist worksteal $(TESTS)

.venv/serves: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("dnsemu needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ": try make PYTHON=python3.12 $(MAKECMDGOALS)")'
	@$(PYTHON) -m venv .venv || { echo "The module venv is missing: apt install python3-venv (Debian, Ubuntu) brings it."; exit 1; }
	@echo "Installing dnsemu into .venv …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

.venv/tests: .venv/serves
	@echo "Installing what the tests need into .venv …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

clean:
	rm -rf .venv
