# `make demo` and `make test` need Python 3.11 and make; the rest is fetched into .venv once.

SHELL := /bin/bash
IS_3_11 := import sys; sys.exit(sys.version_info[:2] != (3, 11))
PYTHON := $(shell for p in python3.11 python3; do $$p -c '$(IS_3_11)' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test mutants check format lock clean

demo: $(READY)  ## every stage on drawn faces, then the path of the page to look at
	@python -m infra.local -- python -m flows.lifecycle

test: $(READY)  ## all tests that need neither a GPU nor real photographs
	@pytest -q -n 2 --dist loadgroup --no-loadscope-reorder

N := 400
mutants: $(READY)  ## break the code in N places, one at a time, and count what is noticed (docs/mutants.md)
	@CUDA_VISIBLE_DEVICES= OMP_NUM_THREADS=1 python -m benchmarks.mutants --count $(N)

check: $(READY)  ## style, types, rooms, spelling and code.lock
	ruff check .
	ruff format --check .
	mypy
	lint-imports
	codespell
	python -m tedigan code check

format: $(READY)
	ruff check --fix .
	ruff format .

# torch is locked without its "+cpu": pip takes the build that this machine offers. Where a CPU build of torch
# is not on the index, name its folder with UV_FIND_LINKS, or the lock fills with CUDA packages.
lock:
	uv pip compile pyproject.toml --extra dev --python-version 3.11 --no-strip-markers --no-emit-find-links \
	    --custom-compile-command "make lock" --quiet --output-file requirements.lock
	sed -i 's/^\(torch==[0-9.]*\)+cpu$$/\1/' requirements.lock

clean:  ## forget every result, service and record; the models of a long training too
	rm -rf data models results mutants .work .dvc/cache .dvc/tmp dvc.lock

$(READY): requirements.lock pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "error: neither python3.11 nor python3 is Python 3.11. Install it."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --no-deps --editable .
	@touch $@
