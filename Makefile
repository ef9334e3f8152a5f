# make run: the dashboard.  make test: lint, types, layers, every test.  make docs: the documentation.  make lock: pin again.
# Each builds .venv first, from nothing but Python.
PYTHON ?= python3
BIN := .venv/bin
# make run TORCH=cpu: torch without NVIDIA's libraries, which are most of 5.6 GB; for a machine without such a card.
TORCH ?=
CPU_INDEX ?= https://download.pytorch.org/whl/cpu
SMALL_TORCH = $(BIN)/python -m pip install --quiet --retries 1 --timeout 15 --index-url $(CPU_INDEX) \
	`grep -E '^torch(vision)?==' requirements.txt` || echo "$(CPU_INDEX) cannot be reached from here:" \
	"torch comes from the usual index instead, with NVIDIA's libraries (5.6 GB). Everything works the same."
ifneq ($(filter-out cpu,$(TORCH)),)
$(error TORCH is $(TORCH). Expected cpu, or leave it out for the build that can use an NVIDIA card)
endif

TESTED := $(addprefix requirements-,$(addsuffix .txt,dev pacs models fonts serve cluster))

.PHONY: run test lint docs lock clean

run: .venv/run.stamp
	$(BIN)/streamlit run dashboard.py

test: lint
	$(BIN)/python -m pytest -n auto -m "not browser"
	$(BIN)/python -m pytest -m browser

lint: .venv/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/docs.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# One lock for Linux, macOS and Windows and Python 3.11 to 3.13. CI installs from it; requirements.txt stays, with ranges.
lock: .venv/run.stamp
	$(BIN)/python -m pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header \
		requirements.txt $(TESTED) requirements-docs.txt --output-file requirements.lock

.venv/run.stamp: requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(if $(TORCH),$(SMALL_TORCH))
	$(BIN)/python -m pip install --quiet -r requirements.txt $(LOCKED)
	touch $@

.venv/test.stamp: $(TESTED) .venv/run.stamp
	$(BIN)/python -m pip install --quiet $(addprefix -r ,$(TESTED)) $(LOCKED)
	touch $@

.venv/docs.stamp: requirements-docs.txt .venv/run.stamp
	$(BIN)/python -m pip install --quiet -r requirements-docs.txt $(LOCKED)
	touch $@

clean:
	rm -rf .venv site
