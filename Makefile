# Every target works from a fresh checkout; PYTHON names the interpreter to build .venv with.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data

.PHONY: demo test check bench constraints docs clean

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

demo: $(VENV)/.installed  ## the main job on a simulated retailer
	$(BIN)/sanhe demo

test: $(VENV)/.installed  ## all tests
	$(BIN)/python -m pytest -n 2

check: $(VENV)/.installed  ## layers, style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

bench: $(VENV)/.installed  ## figures on real data, into bench/results
	$(BIN)/python -m bench.forecast_freshretailnet --data $(DATA)/freshretailnet50k/train_daily.parquet
	$(BIN)/python -m bench.plan_freshretailnet --data $(DATA)/freshretailnet50k/train_daily.parquet
	$(BIN)/python -m bench.censoring

docs: $(VENV)/.installed  ## regenerate docs/map.md and docs/reference
	$(BIN)/python -m sanhe.cli.reference

constraints: $(VENV)/.installed  ## hold the versions of what is installed now
	$(BIN)/pip freeze --exclude-editable | grep -v ' @ ' | LC_ALL=C sort -f > constraints.txt

clean:
	rm -rf $(VENV) build dist
