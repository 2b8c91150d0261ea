# make run   sets everything up and runs the main job (first call a few minutes, then at once)
# make test  sets everything up and passes the tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
HOME_DIR ?= var/shaanxi
READY := $(VENV)/.ready

# Compiled modules are kept: every command starts a second sooner.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test setup setup-offline distributed check sample dictionary lock bench torture licences sbom audit wheelhouse clean
.DEFAULT_GOAL := run

run: $(HOME_DIR)/parkwatch.toml
	@$(BIN)/parkwatch run --home $(HOME_DIR); code=$$?; test $$code -eq 3 && exit 0 || exit $$code

$(HOME_DIR)/parkwatch.toml: | $(READY)
	@$(BIN)/parkwatch init $(HOME_DIR) --example shaanxi

test: $(READY)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/mypy
	@$(BIN)/python -m pytest

setup: $(READY)

# pip fetches uv at a pinned version and hash; uv installs everything else from the lock (the second
# try trusts the machine's own certificates, for networks that inspect TLS).
$(READY): pyproject.toml uv.lock requirements-bootstrap.txt
	@echo "安装依赖(首次约一分钟)……"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bootstrap.txt
	@$(BIN)/uv sync --frozen --quiet --compile-bytecode 2>/dev/null || \
		$(BIN)/uv sync --frozen --quiet --compile-bytecode --system-certs
	@touch $(READY)

# The optional components of docs/distributed.md (workers, DuckLake, Spark; about 700 MB).
distributed: $(READY)
	@$(BIN)/uv sync --frozen --quiet --compile-bytecode --extra distributed --extra spark --group store

# Everything quick a change should pass before it is committed.
check: $(READY)
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

# All simulated returns of the example, 2017-02 to 2023-12, with their answer key.
sample: $(READY)
	@$(BIN)/python examples/sample_returns.py --example shaanxi --to var/sample --from 2017-02 --through 2023-12 --truth var/sample-truth.csv

# Every campaign of docs/trust.md: kills, readers, mails under faults, damage, outages, a full disk (as root), ten
# years. Goes on where it stopped; a table at the end. Hours; a pass from end to end: TORTURE_SCALE=0.1.
TORTURE_SCALE ?= 1
torture: $(READY)
	@$(BIN)/python -m bench.torture.all --scale $(TORTURE_SCALE)

# Times and memory against peers and against the size of the work (docs/performance.md). About half an hour of
# an idle machine; the national size, workers and documents have benches of their own there.
bench: $(READY)
	@$(BIN)/python -m bench.bench_peers --files 110 --rounds 3 --sides ours,run,a,b
	@$(BIN)/python -m bench.bench_peers --files 1500 --rounds 3 --sides ours,a,b
	@$(BIN)/python -m bench.bench_parsing --cpu --files 1500
	@$(BIN)/python -m bench.growth

dictionary: $(READY)
	@$(BIN)/parkwatch dictionary > docs/data-dictionary.md

lock: $(READY)
	@$(BIN)/uv lock
	@$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header requirements-bootstrap.in -o requirements-bootstrap.txt

# What parkwatch is made of (docs/supply-chain.md). audit ends with 4 when nothing could be audited.
licences: $(READY)
	@$(BIN)/python -m bench.supply licences > docs/licences.md

sbom: $(READY)
	@$(BIN)/python -m bench.supply sbom

audit: $(READY)
	@$(BIN)/python -m bench.supply audit

# All wheels for a network without an index: carry var/wheelhouse and this checkout over, then there
# make setup-offline WHEELHOUSE=… (docs/install-offline.md).
WHEELHOUSE ?= var/wheelhouse
wheelhouse: $(READY)
	@$(BIN)/python -m bench.supply wheelhouse $(WHEELHOUSE)

setup-offline:
	@cd $(WHEELHOUSE) && sha256sum --check --quiet SHA256SUMS
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --find-links $(WHEELHOUSE) -r $(WHEELHOUSE)/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
	@touch $(READY)

clean:
	rm -rf $(VENV) var
