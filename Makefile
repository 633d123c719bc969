# Each target does its own set-up; only Python 3.11 or newer and make have to be there.
PYTHON ?= python3
VENV ?= .venv
# What is compared with is kept out of the environment that tests run in.
BENCH_VENV ?= .venv-bench
BIN := $(VENV)/bin
BACKENDS := flask,starlette,fastapi,sanic,tornado,jwt,drf,env
DEMO_PORT ?= 8000
DEMO_BACKEND ?= django

.PHONY: demo test schemathesis bench bench-original bench-orm lint types contracts docs build clean

demo: $(VENV)/.demo  ## serve the test project with sample data
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py conduit_sample_data --if-empty
	@DJANGO_SUPERUSER_PASSWORD=demo $(BIN)/python manage.py createsuperuser --noinput \
		--username demo --email demo@example.com >/dev/null 2>&1 || true
	@echo
	@echo "  articles  http://127.0.0.1:$(DEMO_PORT)/api/articles?limit=3"
	@echo "  tags      http://127.0.0.1:$(DEMO_PORT)/api/tags"
	@echo "  DRF       http://127.0.0.1:$(DEMO_PORT)/drf/articles/?limit=3  (the same rows, to compare)"
	@echo "  docs      http://127.0.0.1:$(DEMO_PORT)/api/docs"
	@test "$(DEMO_BACKEND)" != django || \
		echo "  admin     http://127.0.0.1:$(DEMO_PORT)/admin/  (user demo, password demo)"
	@echo "  log in    POST http://127.0.0.1:$(DEMO_PORT)/api/users/login"
	@echo "            {\"user\": {\"email\": \"user0001@example.com\", \"password\": \"conduit-demo\"}}"
	@echo "  The same API on another framework: make demo DEMO_BACKEND=starlette"
	@echo "  (flask, starlette, fastapi, sanic or tornado). Ctrl+C ends it."
	@echo
	@exec env TESTPROJECT_BACKEND=$(DEMO_BACKEND) TESTPROJECT_PORT=$(DEMO_PORT) \
		$(BIN)/python -m testproject

test: $(VENV)/.test  ## run all tests
	@# In the order of their folders: the files with the fewest tests take the longest, and would be last.
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

schemathesis: $(VENV)/.test  ## send random requests to the test project on every back end
	$(BIN)/python -m pytest tests/openapi/test_schemathesis.py $(ARGS)

bench: $(BENCH_VENV)/.bench  ## compare requests with other frameworks; ARGS=--quick
	$(BENCH_VENV)/bin/python -m benchmarks $(ARGS)

bench-original:  ## make the environment of the original UtilMeta, which bench then measures too
	$(PYTHON) -m venv .venv-original
	.venv-original/bin/python -m pip install --quiet --disable-pip-version-check \
		'utilmeta<3' 'Django<5.3' gunicorn

bench-orm: $(BENCH_VENV)/.bench  ## compare nested rows with other libraries; ARGS=--postgres
	$(BENCH_VENV)/bin/python -m benchmarks.nested_rows $(ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.test
	$(BIN)/mypy

contracts: $(VENV)/.test
	$(BIN)/lint-imports

docs: $(VENV)/.docs  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

build: $(VENV)/.test  ## make sdist and wheel in dist/
	$(BIN)/python -m build --quiet

clean:
	rm -rf $(VENV) $(BENCH_VENV) .venv-original build dist site *.egg-info testproject.sqlite3

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name one with make PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(BACKENDS)]'
	@touch $@

# The driver of MariaDB is compiled, so it is left out where its headers are missing; its tests then
# say so, and fail when CI=true.
$(VENV)/.test: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@if pkg-config --exists libmariadb 2>/dev/null || pkg-config --exists mysqlclient 2>/dev/null; \
		then $(BIN)/python -m pip install --quiet --disable-pip-version-check mysqlclient; \
		else echo "no headers of MariaDB or MySQL (Debian: libmariadb-dev pkg-config): their tests are skipped"; fi
	@touch $@

$(BENCH_VENV)/.bench: setup.cfg pyproject.toml
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[bench]'
	@touch $@

$(VENV)/.docs: $(VENV)/bin/python setup.cfg pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@
