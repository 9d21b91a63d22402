# The commands of this repository. `make` alone lists them.
PYTHON      ?= $(shell command -v python3.11 || echo python3)
VENV        ?= .venv
# On Linux, PyPI's torch brings CUDA; set TORCH_INDEX= (empty) to take it all the same.
TORCH_INDEX ?= https://download.pytorch.org/whl/cpu
BIN         := $(VENV)/bin
NOTEBOOKS    = $(wildcard notebooks/*.ipynb)
NBVAL        = $(BIN)/pytest --nbval --nbval-current-env --nbval-sanitize-with notebooks/sanitize.cfg --nbval-cell-timeout=120 \
               -p no:anyio $(NOTEBOOKS)
# Two workers on two cores: one thread each is faster than two threads that wait for each other.
ONE_THREAD   = OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false

export PATH := $(abspath $(BIN)):$(PATH)
# What a shell around this one may have set and would change which packages or folders are used.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-code test-notebooks lab lint format bench contracts notebooks lock clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## make .venv as requirements.lock says (once, one to two minutes)
	@$(PYTHON) tools/setup_venv.py --venv "$(VENV)" --torch-index "$(TORCH_INDEX)"

demo: setup ## the whole path on synthetic notes of five sites (ARGS="--notes DIR" for your own)
	@$(BIN)/fedkit demo $(ARGS)

test: setup lint ## everything that must hold: style, types, tests, notebooks
	@code=0; \
	$(MAKE) --no-print-directory test-code || code=1; \
	$(MAKE) --no-print-directory test-notebooks || code=1; \
	exit $$code

test-code: setup ## the tests alone (ARGS="tests/ledger -k merkle" for some of them)
	@$(ONE_THREAD) $(BIN)/pytest -n 2 --dist loadfile -q --durations=10 $(if $(ARGS),$(ARGS),tests)

test-notebooks: setup ## run the notebooks and compare what they show with what is committed
	@$(ONE_THREAD) $(NBVAL) -q

lab: setup ## JupyterLab on the notebooks
	@JUPYTER_CONFIG_PATH=notebooks/jupyter $(BIN)/jupyter lab --notebook-dir=notebooks $(ARGS)

lint: setup ## ruff and mypy, changing nothing
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --quiet --check . && $(BIN)/mypy --no-error-summary

format: setup ## let ruff mend what it can
	@$(BIN)/ruff check --fix . && $(BIN)/ruff format .

bench: setup ## measure beside the peers, into benchmarks/results.json (ARGS="--only import_seconds" for one)
	@$(BIN)/python benchmarks/run.py $(ARGS)

contracts: ## compile the smart contracts (needs Node.js; the result is committed)
	@cd contracts && npm install --no-save --no-audit --no-fund --loglevel=error
	@node tools/build_contracts.mjs

notebooks: setup ## run the notebooks again and save them with their outputs
	@$(ONE_THREAD) $(BIN)/python tools/execute_notebooks.py $(ARGS)

lock: setup ## resolve pyproject.toml into requirements.lock and environment.yml (ARGS=--upgrade for newer versions)
	@$(BIN)/python tools/lock.py $(ARGS)

clean: ## remove what the commands left behind, but no environment and no runs/
	@rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	@find . -path ./.venv -prune -o -path '*/node_modules' -prune -o -name __pycache__ -type d -print | xargs rm -rf
