# Everything a person or a machine runs on this project. `make help` lists it.
PY ?= python3
VENV ?= .venv
B := $(VENV)/bin
TORCH ?= torch==2.13.0
# Another build of torch: make setup TORCH_INDEX=<an index from PyTorch's "Get started" page>
TORCH_INDEX ?=
# pip is always there; `make setup INSTALLER=uv` is faster where uv works.
INSTALLER ?= pip
JOBS ?= 2
ARGS ?=

ifeq ($(INSTALLER),uv)
export UV_FIND_LINKS := $(or $(UV_FIND_LINKS),$(PIP_FIND_LINKS))
INSTALL = uv pip install -q --python $(B)/python
else
INSTALL = $(B)/python -m pip install -q --disable-pip-version-check
endif

# Torch in tests: one thread each, since pytest runs $(JOBS) processes.
TEST = OMP_NUM_THREADS=1 OMP_WAIT_POLICY=PASSIVE $(B)/python -m pytest -n $(JOBS)

# Rooms whose words reach the database; browser, training and command line say nothing else to it.
ON_POSTGRESQL = $(addprefix tests/,db actions people jobs review data web care compliance evaluation generation product \
  training trust)

.DEFAULT_GOAL := help
.PHONY: help setup studio test test-whole test-slow test-postgresql check bench bench-quick format wheel clean

help:  ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.ok  ## Make .venv with all that creating, training and testing need

studio: $(VENV)/.ok  ## Set up, and open the studio in the browser; ARGS="--port 8800" and others
	@$(B)/sfumato studio $(ARGS)

test: $(VENV)/.ok  ## Run the tests (ten minutes on two cores); ARGS="-k word" narrows
	$(TEST) -m "not slow and not whole" $(ARGS)

test-whole: $(VENV)/.ok  ## Run the whole stories and every case, which CI does too (ten minutes more)
	$(TEST) -m "whole and not slow" $(ARGS)

test-slow: $(VENV)/.ok  ## Run the tests that take longer
	$(TEST) -m slow $(ARGS)

test-postgresql: $(VENV)/.ok  ## Run the rooms' and the web's tests on a PostgreSQL server of their own
	$(TEST) -m "not slow" --on postgresql $(or $(ARGS),$(ON_POSTGRESQL))

check: $(VENV)/.ok  ## Check style, types, the order of imports, dependencies and the docs
	$(B)/ruff check .
	$(B)/mypy
	$(B)/lint-imports
	$(B)/deptry .
	$(B)/python -m pytest -m "not slow and not whole" tests/contracts tests/doors tests/test_docs.py

bench: $(VENV)/.ok  ## Measure training, drawing and the studio; needs a quiet machine
	$(B)/python bench/training.py --write $(ARGS)
	$(B)/python bench/create.py --write $(ARGS)
	$(B)/python bench/web.py --write $(ARGS)
	$(B)/python bench/first.py --write $(ARGS)
	$(B)/python bench/curation.py --write $(ARGS)
	$(B)/python bench/collect.py --write $(ARGS)

bench-quick: $(VENV)/.ok  ## The same in under a minute each, once the peers are installed
	$(B)/python bench/training.py --quick $(ARGS)
	$(B)/python bench/create.py --quick $(ARGS)
	$(B)/python bench/web.py --quick $(ARGS)
	$(B)/python bench/curation.py --quick $(ARGS)
	$(B)/python bench/collect.py --quick $(ARGS)

format: $(VENV)/.ok  ## Sort imports and lay out the code
	$(B)/ruff check --fix-only .
	$(B)/ruff format .

wheel: $(VENV)/.ok  ## Build dist/sfumato-*.whl
	$(B)/python -m pip wheel -q --no-deps -w dist .

clean:  ## Remove .venv and everything that was built
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/.ok: pyproject.toml constraints.txt
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Sfumato needs Python 3.11 or newer; $(PY) is $$($(PY) --version 2>&1). Try: make PY=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PY) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@echo "Setting up $(VENV). This takes a few minutes once."
	@test -x $(B)/python || $(PY) -m venv $(VENV)
	$(B)/python -c 'import torch' 2>/dev/null || $(INSTALL) "$(TORCH)" -c constraints.txt \
	  $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
	$(INSTALL) -e '.[train,team,data,map,charts,test]' -c constraints.txt
	@touch $@
