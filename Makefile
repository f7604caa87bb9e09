# Everything happens in .venv, which each target makes for itself.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --no-compile --disable-pip-version-check
WORKERS ?= 2

# Python keeps what it compiled, also where the environment says not to, as in many containers: else
# each of the tests' processes compiles torch and all beside it anew, for 8 seconds.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: demo test test-slow test-all ready chromium lint docs dist clean

demo: .venv/installed
	$(BIN)/miagym demo $(if $(FULL),--full) $(if $(NO_APP),--no-app)

# The quick tier.
test: ready
	$(PYTEST) $(BY_FILE) -m "not slow" $(LONGEST_FIRST)

# The slow tier alone, and the site: what takes seconds, not minutes. CI runs it after the quick one.
test-slow: ready .venv/engines docs
	$(PYTEST) $(BY_FILE) -m "slow and not long" $(LONGEST_FIRST)

# All three tiers, and whatever else a release must pass. The long one has what takes minutes: all
# attacks on all targets, simulations, runs that are killed again and again, exercises as solved.
test-all: ready lint .venv/engines docs
	$(PYTEST) $(BY_FILE) $(LONGEST_FIRST)

# Two processes with one thread each. Whole files of tests are dealt to them, in order: what takes
# longest comes first. (An open browser runs an event loop, beside which no other file's tests can
# run theirs. And what a file sets up for its tests would be set up in both processes.)
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(WORKERS)
BY_FILE := --dist loadfile --no-loadscope-reorder
LONGEST_FIRST := tests/app tests/test_world.py tests

# What tests need; packages and the browser are installed at the same time.
ready:
	+$(MAKE) --no-print-directory --jobs=2 .venv/installed chromium
	+$(MAKE) --no-print-directory .venv/browser

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright
	$(BIN)/lint-imports --no-cache

# The site, in build/site; a dead link or a docstring that says what is not so fails.
docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# A wheel that runs the demo in a fresh environment.
dist: .venv/installed
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python tests/installed_wheel.py dist/*.whl

# torch first, on its own and by pip: what comes after finds it and looks for no larger build.
# uv installs the rest several times as fast; where it finds no package, pip may be set up to.
# Nothing is compiled that no one imports.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) torch uv -c constraints.txt
	UV_SYSTEM_CERTS=1 $(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[dev]' -c constraints.txt \
		|| $(PIP) -e '.[dev]' -c constraints.txt
	touch $@

# The page's tests drive a real browser: the system's Chromium, or Debian's, or Playwright's own.
FIND_CHROMIUM := command -v chromium || command -v chromium-browser
chromium:
	-$(FIND_CHROMIUM) || (apt-get update && apt-get install --yes chromium)

.venv/browser: .venv/installed chromium
	$(FIND_CHROMIUM) || $(BIN)/playwright install --with-deps chromium
	touch $@

# Ray and submitit, for the tests that start processes by them; nothing else needs them.
.venv/engines: .venv/installed
	UV_SYSTEM_CERTS=1 $(BIN)/uv pip install --quiet --python $(BIN)/python -e '.[ray,slurm]' -c constraints.txt \
		|| $(PIP) -e '.[ray,slurm]' -c constraints.txt
	touch $@

clean:
	rm -rf .venv runs build dist *.egg-info
