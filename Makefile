# Everything a newcomer types. `make help` lists it.
PYTHON ?= python3
ARGS ?=
# One more than there are cores: browsers, servers and databases of the tests also wait for each other.
WORKERS ?= $(shell echo $$(( $$(nproc 2>/dev/null || echo 2) + 1 )))
VENV := .venv
PIP := $(VENV)/bin/python -m pip --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test drills mutants check format translations lock wheel clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: $(VENV)/.core $(VENV)/bin/yestwice ## install what is needed, and serve on http://127.0.0.1:8000
	@exec $(VENV)/bin/python app.py

test: $(VENV)/.tests ## run the tests, all but the drills (make test ARGS="-k confirm")
	@$(VENV)/bin/python -m tests.support.browser --install
	@$(VENV)/bin/python -m tests.support.mail_servers --install >/dev/null
	@$(VENV)/bin/pytest --numprocesses $(WORKERS) --dist worksteal -m "not drill" $(ARGS)

drills: $(VENV)/.tests ## run the tests that take long: attacks, measurements, containers, random histories and texts by the thousand
	@$(VENV)/bin/python -m tests.support.containers --install
	@HYPOTHESIS_PROFILE=night $(VENV)/bin/pytest --numprocesses $(WORKERS) --dist worksteal -m "drill or hypothesis" $(ARGS)

mutants: $(VENV)/.tests ## break the rules one by one, and see whether the tests notice (make mutants ARGS="domain/budget")
	@nice $(VENV)/bin/python -m tests.mutants $(ARGS)

check: $(VENV)/.tests ## lint, format, types, templates, house rules
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .
	@$(VENV)/bin/mypy --strict subscriptions bench app.py tests/support
	@for script in tests/check_templates.py tests/check_rules.py; do \
		if [ -e $$script ]; then $(VENV)/bin/python $$script || exit 1; fi; \
	done

format: $(VENV)/.tests ## rewrite the code in the house format
	@$(VENV)/bin/ruff check --quiet --fix .
	@$(VENV)/bin/ruff format --quiet .

# No dates and no line numbers, so that a catalogue changes only where a text does.
CATALOGUES := $(wildcard translations/*/LC_MESSAGES/messages.po)
EXTRACT := extract --mapping-file=babel.cfg --keywords=marked --add-location=file --sort-output \
	--no-wrap --omit-header

translations: $(VENV)/.core ## collect the texts, update the catalogues and compile them
	@$(VENV)/bin/pybabel --quiet $(EXTRACT) --output-file=translations/messages.pot .
	@for po in $(CATALOGUES); do \
		folder=$${po%/LC_MESSAGES/messages.po}; \
		$(VENV)/bin/pybabel --quiet update --input-file=translations/messages.pot --output-file=$$po --no-wrap \
			--locale=$${folder##*/} --ignore-obsolete --ignore-pot-creation-date --no-fuzzy-matching && \
		$(VENV)/bin/pybabel --quiet compile --input-file=$$po --output-file=$${po%.po}.mo \
			--locale=$${folder##*/} || exit 1; \
	done
	@$(VENV)/bin/python translations/familiar.py

lock: ## renew requirements.lock after requirements.txt has changed (needs uv)
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links requirements.txt --output-file requirements.lock

wheel: $(VENV)/bin/python ## build dist/yestwice-….whl, for pip install on other machines
	@$(PIP) wheel --no-deps --wheel-dir dist .

clean: ## remove the environment and all caches, but never your data in var/
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Debian splits the part of venv that brings pip into a package of its own, and fails half-way without it.
$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or newer" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed, this is $$($(PYTHON) --version): make PYTHON=python3.12 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make environments: apt-get install python3-venv (Debian, Ubuntu)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(VENV)/bin/yestwice: deploy/yestwice | $(VENV)/bin/python
	@cp $< $@

$(VENV)/.core: requirements.lock | $(VENV)/bin/python
	@echo "Installing requirements.lock into $(VENV)"
	@$(PIP) install --require-hashes --requirement requirements.lock
	@touch $@

$(VENV)/.tests: tests/requirements.txt requirements.txt $(VENV)/.core $(VENV)/bin/yestwice
	@echo "Installing tests/requirements.txt into $(VENV)"
	@$(PIP) install --requirement tests/requirements.txt
	@touch $@
