# Each verb works on a fresh machine: it makes its own environment first.
PROFILE ?= quick
EXTRA ?=
ARGS ?=

VENV := .venv$(if $(EXTRA),-$(EXTRA))
LOCK := requirements$(if $(EXTRA),-$(EXTRA)).lock
READY := $(VENV)/.ready
BIN := $(VENV)/bin

unexport PYTHONDONTWRITEBYTECODE
export UV_COMPILE_BYTECODE = 1

.DEFAULT_GOAL := help
.PHONY: help book test lab run bench lint lock clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 14
	@echo '  Settings: PROFILE=smoke|quick|full, EXTRA=gpu (a CUDA machine), ARGS="…" for run and test'

book: $(READY) ## run the four studies and build the HTML book
	@$(BIN)/chromolib book --profile $(PROFILE)

test: $(READY) lint ## lint, tests, studies at smoke, strict book, browser tests
	@$(BIN)/python -m pytest -n 2 --no-loadscope-reorder $(ARGS)

lab: $(READY) ## open JupyterLab at the notebooks
	@$(BIN)/jupyter lab --ip=127.0.0.1 $(if $(filter 0,$(shell id -u)),--allow-root) --LabApp.default_url=/lab/tree/notebooks

run: $(READY) ## run studies: make run ARGS="chu -p seed=0,1,2"
	@$(BIN)/chromolib run --profile $(PROFILE) $(ARGS)

bench: $(READY) ## measured times, and the ratios that matter
	@$(BIN)/python tests/bench.py

lint: $(READY) ## style, spelling, notebooks without outputs
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	@$(BIN)/codespell
	@$(BIN)/nbstripout --verify --keep-id notebooks/*.ipynb book/*.ipynb

lock: ## renew the locks from pyproject.toml (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --group dev pyproject.toml -o requirements.lock
	echo "tensorflow-cpu; sys_platform == 'never'" | uv pip compile -q --universal --generate-hashes --no-header --group dev --extra gpu --override /dev/stdin pyproject.toml -o requirements-gpu.lock

clean: ## remove the environment and everything built
	rm -rf .venv .venv-* _build book/studies book/claims.md data/runs

# An install that was interrupted leaves a mark and starts again from empty; what was
# downloaded stays in the installer's cache.
$(READY): $(LOCK) pyproject.toml
	@python=$$(sh .ci/python) || exit 1; \
	if [ -e $(VENV)/.installing ]; then rm -rf $(VENV); fi; \
	echo "Setting up $(VENV) with $$($$python --version); this takes a minute or two."; \
	if command -v uv >/dev/null; then \
	  { [ -x $(BIN)/python ] || uv venv --quiet --python $$python $(VENV); } && touch $(VENV)/.installing && \
	  uv pip install --quiet --python $(BIN)/python --require-hashes -r $(LOCK) && \
	  uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .; \
	else \
	  { [ -x $(BIN)/python ] || $$python -m venv $(VENV); } && touch $(VENV)/.installing && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .; \
	fi || { echo "Setting up failed; the reason stands above. The same command takes it up again." >&2; exit 1; }
	@rm -f $(VENV)/.installing && touch $(READY)
