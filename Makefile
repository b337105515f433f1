# Every target creates what it needs: a machine with Python >= 3.11 (with pip) and make is enough.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO := thetabulk-demo

.PHONY: help demo test test-slow coverage lint chaos chaos-release terminal terminal-release container bench pictures lock clean

help:
	@echo "make demo      a month of QQQ from the built-in simulator, then status and verify"
	@echo "make test      the tests"
	@echo "make test-slow the eight-year runs (ten minutes)"
	@echo "make coverage  that the unit tests take every branch of what a saved day rests on"
	@echo "make lint      ruff, mypy and the architecture test"
	@echo "make chaos     kills, power cuts, pulled drives, lying answers; installs Debian packages when root"
	@echo "make chaos-release  the same, longer (hours)"
	@echo "make terminal  a stand-in for the Theta Terminal, in real Java processes that crash and hang (needs a JDK)"
	@echo "make terminal-release  300 crashes, hangs and taken ports of a Java process (needs a JDK)"
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
	$(BIN)/python -m pytest --numprocesses auto --dist loadgroup

test-slow: $(READY)
	$(BIN)/python -m pytest --numprocesses auto -m "slow and not terminal"

coverage: $(READY)
	$(BIN)/python -m pytest --quiet --numprocesses auto --cov --cov-report=term-missing \
		tests/unit/ledger $(wildcard tests/unit/store/test_layout.py tests/unit/store/test_part*.py \
		tests/unit/store/test_validate.py tests/unit/store/test_volume*.py) \
		tests/unit/fetch/test_breaker.py tests/unit/fetch/test_retry.py

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

terminal: $(READY)
	$(BIN)/python -m pytest --numprocesses auto -rs -m "terminal and not slow" tests/integration/terminal

terminal-release: $(READY)
	$(BIN)/python -m pytest -m "terminal and slow" -s tests/integration/terminal

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
	rm -rf $(VENV) $(VENV).bootstrap $(DEMO) build dist .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find thetabulk tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +
