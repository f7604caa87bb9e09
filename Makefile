# Everything happens in .venv, which each target makes for itself.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.PHONY: demo test lint docs dist clean

demo: .venv/installed
	$(BIN)/miagym demo $(if $(NO_APP),--no-app)

# Two processes with one thread each, among which whole files of tests are dealt.
test: .venv/installed .venv/browser lint docs
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile

lint: .venv/installed
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

# The site, in build/site; a dead link or a docstring that says what is not so fails.
docs: .venv/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

# A wheel that runs the demo in a fresh environment.
dist: .venv/installed
	rm -rf dist
	$(BIN)/python -m build --outdir dist
	$(BIN)/python tests/installed_wheel.py dist/*.whl

# torch first, on its own: pip then finds it installed and looks for no larger build.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check torch -c constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt
	touch $@

# The page's tests drive a real browser: the system's Chromium, or Debian's, or Playwright's own.
.venv/browser: .venv/installed
	command -v chromium || command -v chromium-browser \
		|| (apt-get update && apt-get install --yes chromium) \
		|| $(BIN)/playwright install --with-deps chromium
	touch $@

clean:
	rm -rf .venv runs build dist *.egg-info
