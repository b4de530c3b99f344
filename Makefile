# Every target works as the first command typed on a fresh machine: what it needs is made first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
FCNLAB_DATA ?= data
ARGS ?=
SWEEP ?=
LAUNCHER ?= hydra/launcher=stacked

.DEFAULT_GOAL := help
.PHONY: help setup data train sweep sweep-confirm report search status test test-all test-gpu \
	lint format bench tensorboard dashboard clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-20s %s\n", $$1, $$2}'
	@echo "  Add settings with ARGS, as in: make train ARGS='optimizer=sgd lr=0.1'"

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| (echo "Python 3.11 or newer is needed. Type for example: make setup PYTHON=python3.12" && exit 1)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt
	@touch $@

setup: $(INSTALLED) ## the environment, in .venv

data: $(INSTALLED)

-include src/*/data.mk # how the data is had; a fork whose data is there needs none

train: data ## one run
	$(BIN)/python train.py $(ARGS)

sweep: data ## a first look: 3 optimizers x 3 learning rates, one seed, 2 minutes, and the leaderboard
	$(BIN)/python train.py -m optimizer=sgd,adam,rmsprop lr=1e-3,1e-2,1e-1 task_name=first_look $(ARGS)

sweep-optimizers: ## which optimizer: 4 x 5 learning rates x 3 seeds, 3 minutes
sweep-momentum: ## how much momentum: 4 x 5 learning rates x 3 seeds, 3 minutes
sweep-dropout: ## how much dropout: 4 x 3 learning rates x 3 seeds, 3 minutes
sweep-batchnorm: ## batch normalization, on and off: 2 x 5 learning rates x 3 seeds, 2 minutes
sweep-init: ## which initialization: 7 x 3 learning rates x 3 seeds, 4 minutes
sweep-architecture: ## how wide, how deep: 5 x 3 learning rates x 3 seeds, 4 minutes
sweep-activation: ## which activation: 7 x 3 learning rates x 3 seeds, 4 minutes
sweep-grid: ## all of it together, one seed: 324 runs, 20 minutes
sweep-cv: ## which regularization, by cross-validation: 4 x 3 learning rates x 5 folds, 4 minutes

sweep-%: STUDY = $*
sweep-batchnorm: STUDY = batch_norm
sweep-cv: STUDY = cross_validation

sweep-%: data
	@test -f conf/experiment/$(STUDY).yaml || (echo "$@: there is no such sweep. Needed: one of" \
		"$(patsubst conf/experiment/%.yaml,sweep-%,$(wildcard conf/experiment/*.yaml))" && exit 1)
	@$(BIN)/python train.py experiment=$(STUDY) $(LAUNCHER) $(ARGS) || failed=$$?; $(BIN)/python report.py; exit $${failed:-0}

sweep-confirm: data ## a sweep's winners with 5 fresh seeds; make sweep-confirm SWEEP=outputs/sweeps/optimizers
	@test -n "$(SWEEP)" || (echo "SWEEP: needed: the folder of a sweep." \
		"Type for example: make sweep-confirm SWEEP=outputs/sweeps/optimizers" && exit 1)
	$(BIN)/python train.py experiment=confirm study.confirms=$(SWEEP) $(LAUNCHER) $(ARGS)
	$(BIN)/python report.py $(SWEEP) $(SWEEP:/=)-confirm

report: $(INSTALLED) ## tables, figures, HTML of the newest sweep; make report SWEEP=outputs/sweeps/NAME
	$(BIN)/python report.py $(SWEEP) $(ARGS)

search: data ## TPE over optimizer, learning rate, dropout and width, 40 runs
	$(BIN)/python train.py hparams_search=tpe task_name=search $(ARGS)

status: $(INSTALLED) ## the newest sweep, from another terminal: done, failed, left; make status SWEEP=outputs/sweeps/NAME
	@$(BIN)/python status.py $(SWEEP)

test: $(INSTALLED) ## the tests; real data where it can be had
	@$(MAKE) --no-print-directory data || echo "No real data: the tests that need it are skipped."
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --dist loadfile $(ARGS)

test-all: $(INSTALLED) ## the slow ones too: killed sweeps, a Slurm and a Ray of their own (twenty minutes)
	$(BIN)/python -m pip install --quiet --editable '.[dev,slurm,ray]' --constraint constraints.txt
	@$(MAKE) --no-print-directory test ARGS="-m 'not gpu' $(ARGS)"

test-gpu: $(INSTALLED) ## on a machine with a GPU: what is trained there (a minute)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m gpu $(ARGS)

lint: $(INSTALLED) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED) ## let ruff write the layout
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: data ## speed: a bare loop, the usual template, runs side by side and stacked; and memory (an hour)
	$(BIN)/python benchmarks/throughput.py $(ARGS)
	$(BIN)/python benchmarks/launchers.py
	$(BIN)/python benchmarks/stacked.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/reporting.py
	$(BIN)/python benchmarks/augmentation.py

tensorboard: $(INSTALLED) ## the curves of everything in outputs/
	$(BIN)/tensorboard --host localhost --logdir outputs $(ARGS)

dashboard: $(INSTALLED) ## Optuna's pages of the newest search; make dashboard SWEEP=outputs/sweeps/NAME
	@$(BIN)/python -m pip install --quiet optuna-dashboard --constraint constraints.txt
	@url=$$($(BIN)/python -m overnight.search.storage "$$SWEEP") && exec $(BIN)/optuna-dashboard --host 127.0.0.1 "$$url"

clean: ## remove caches and the environment; outputs/ and data/ stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache src/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
