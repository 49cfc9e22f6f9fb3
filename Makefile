# What a person types. Each target first makes what it needs (dev/bootstrap); the second time that costs nothing.
.POSIX:
.PHONY: help run clean-run test test-long test-windows test-deb fuzz lint bench screenshots audit pins build deb

PYTHON = .venv/bin/python
PYTHON_BUILD = .venv-build/bin/python
FUZZ_INPUTS = 100000

help: ## print this list
	@sed -n 's/^\([a-z-]*\):.* ## \(.*\)/make \1 - \2/p' Makefile

run: ## start a server, an enrolled agent and the tray, to try Decorum; DEMO=40 adds 40 simulated devices
	@dev/bootstrap run
	@$(PYTHON) -m dev.run --demo "$(DEMO)"

clean-run: ## remove what `make run` keeps in .run
	@dev/bootstrap run
	@$(PYTHON) -m dev.run --clean

test: lint ## lint, then every test, the server's on both databases, end-to-end tests among them
	@dev/bootstrap test
	@$(PYTHON) -m pytest -n 2 --dist worksteal -m "not e2e"
	@dev/test_side_by_side

test-long: ## kill agent and server 200 times while messengers come and go
	@dev/bootstrap test
	@DECORUM_KILLS=200 $(PYTHON) -m pytest tests/e2e/test_sigkill.py

test-windows: ## run what is Windows' own under Wine, in a Windows Python that is kept in .wine
	@dev/bootstrap test-windows
	@$(PYTHON) -m dev.windows

fuzz: ## try made-up inputs on everything that reads from outside; FUZZ_INPUTS=2000 takes minutes, the default an evening
	@dev/bootstrap fuzz
	@.venv-fuzz/bin/python -m tests.fuzz --inputs "$(FUZZ_INPUTS)"

lint: ## ruff and mypy, strictly, and mypy as on Windows and macOS too
	@dev/bootstrap lint
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(PYTHON) -m mypy --platform win32 --cache-dir .mypy_cache/win32 -p contract -p agent -p ui -p tests.windows
	@$(PYTHON) -m mypy --platform darwin --cache-dir .mypy_cache/darwin -p contract -p agent -p ui

bench: ## measure and print figures; never a test
	@dev/bootstrap test
	@PYTHONPATH="$$PWD" $(PYTHON) -m bench

screenshots: ## make the pictures of docs/images anew
	@dev/bootstrap screenshots
	@set -e; export PYTHONPATH="$$PWD"; for script in dev/screenshots_*.py; do echo "== $$script"; $(PYTHON) "$$script"; done

audit: ## ask the index whether a pinned requirement has a known weakness
	@dev/bootstrap run
	@dev/audit

pins: ## refresh requirements/*.txt from pyproject.toml
	@dev/bootstrap run
	@dev/pin

build: ## freeze the programs into dist/decorum (agent and tray) and dist/decorum-agent (agent alone)
	@dev/bootstrap build
	@$(PYTHON_BUILD) -m installer.freeze

deb: ## make dist/decorum_VERSION_ARCHITECTURE.deb
	@dev/bootstrap deb
	@$(PYTHON_BUILD) -m installer.freeze
	@$(PYTHON_BUILD) -m installer.deb.package

test-deb: deb ## try the frozen programs, then the package in a clean Debian 12 that really boots; as root
	@dev/bootstrap test-deb
	@$(PYTHON) -m pytest tests/deb/frozen_programs.py tests/deb/installed_package.py
