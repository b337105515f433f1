# Every target creates what it needs: a machine with Python >= 3.11 (with pip) and make is enough.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := thetabulk-demo

.PHONY: help demo test test-slow lint chaos chaos-release container bench pictures lock clean

help:
	@echo "make demo      a month of QQQ from the built-in simulator, then status and verify"
	@echo "make test      the tests"
	@echo "make test-slow the eight-year runs (ten minutes)"
	@echo "make lint      ruff, mypy and the architecture test"
	@echo "make chaos     kills, power cuts, pulled drives, lying answers; installs Debian packages when root"
	@echo "make chaos-release  the same, longer (hours)"
	@echo "make container  the Dockerfile's steps in a fresh Debian 13, and its use (root, debootstrap; no daemon)"
	@echo "make bench     the numbers of the README, measured again"
	@echo "make pictures  the pictures of the README, made again from real output"
	@echo "make lock      the hash-locked requirements, written anew"
	@echo "make clean     removes what these targets made"

$(READY): pyproject.toml .ci/make-venv
	@echo "preparing $(VENV), once (a minute or two)"
	@.ci/make-venv $(VENV)
	@touch $@

demo: $(READY)
	$(BIN)/thetabulk download QQQ --simulate --from 2024-07-01 --to 2024-07-31 --store $(DEMO)
	$(BIN)/thetabulk status --store $(DEMO)
	$(BIN)/thetabulk verify --store $(DEMO)

test: $(READY)
	$(BIN)/python -m pytest --numprocesses auto

test-slow: $(READY)
	$(BIN)/python -m pytest --numprocesses auto -m slow

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --quiet tests/test_architecture.py

chaos: $(READY)
	tests/chaos/install.sh
	tests/chaos/run.sh $(BIN)/python

chaos-release: $(READY)
	tests/chaos/install.sh
	THETABULK_TIER=release tests/chaos/run.sh $(BIN)/python

container: $(READY)
	$(BIN)/python -m tests.container.exercise

bench: $(READY)
	$(BIN)/python benchmarks/run.py

pictures: $(READY)
	$(BIN)/python docs/make_pictures.py

lock: $(READY)
	$(BIN)/python -m pip install --quiet pip-tools
	(head -n 3 requirements.lock && $(BIN)/python -m piptools compile --quiet --generate-hashes --strip-extras \
		--no-header --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file - pyproject.toml) \
		> requirements.lock.new
	mv requirements.lock.new requirements.lock

clean:
	rm -rf $(VENV) $(VENV).bootstrap $(DEMO) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find thetabulk tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
