# make run: the dashboard.  make test: lint, types, layers, every test.  Both build .venv first, from nothing but Python.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint clean

run: .venv/run.stamp
	$(BIN)/streamlit run dashboard.py

test: lint
	$(BIN)/python -m pytest

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.venv/run.stamp: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

.venv/test.stamp: requirements-dev.txt .venv/run.stamp
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

clean:
	rm -rf .venv
