# The two verbs that do everything: `make experiments` and `make test`.

CARGO   ?= cargo
TARGET  := $(or $(CARGO_TARGET_DIR),target)
LRSCOUT := $(TARGET)/release/lrscout
GRIDS   := $(wildcard experiments/*.toml)

# Frameworks for `make test-python`, outside the tree.
PYTHON_ENV ?= $(or $(TMPDIR),/tmp)/lrscout-python
PYTHON_PACKAGES := torch numpy tqdm transformers accelerate lightning keras jax

.PHONY: help experiments smoke study test test-python test-exports torture check paper docs bench build

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t16

experiments: build ## find rates, train, rank: every grid in experiments/; resumes where it stopped
	$(LRSCOUT) run $(GRIDS)

smoke: build     ## the small grid: a leaderboard in half a minute
	$(LRSCOUT) run experiments/smoke.toml

study: build     ## the study of experiments/study, one stage after the other (the first: 25 minutes on two cores); resumes
	$(LRSCOUT) run experiments/study/study-250.toml
	$(LRSCOUT) run experiments/study/study-1000.toml

test:            ## all tests
	$(CARGO) test --locked

test-python: build ## the Python package with torch, transformers, lightning and keras, which it installs into PYTHON_ENV
	test -d $(PYTHON_ENV) || python3 -m venv $(PYTHON_ENV)
	$(PYTHON_ENV)/bin/pip install --quiet $(PYTHON_PACKAGES)
	$(PYTHON_ENV)/bin/python python/tests/frameworks.py
	$(PYTHON_ENV)/bin/python python/tests/starts.py $(LRSCOUT)

# Composer is in an environment of its own: it wants an older torch.
test-exports: build ## exported schedules in the real frameworks, and the answer of auto brought back; installs them into PYTHON_ENV-exports and -composer
	for env in exports composer; do test -d $(PYTHON_ENV)-$$env || python3 -m venv $(PYTHON_ENV)-$$env; done
	$(PYTHON_ENV)-exports/bin/pip install --quiet $(PYTHON_PACKAGES) optax deepspeed megatron-core ninja
	$(PYTHON_ENV)-composer/bin/pip install --quiet mosaicml numpy
	PATH=$(PYTHON_ENV)-exports/bin:$$PATH python python/tests/exports.py $(LRSCOUT)
	$(PYTHON_ENV)-composer/bin/python python/tests/exports.py $(LRSCOUT) composer
	PATH=$(PYTHON_ENV)-exports/bin:$$PATH python python/tests/winner.py $(LRSCOUT)

torture:         ## kills, faults and hostile input by the hundred thousand
	$(CARGO) test --locked --release -- --ignored

check:           ## format, lints, docs, grids
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --locked --no-deps
	$(CARGO) run --locked --release --quiet -- check $(GRIDS)

paper:           ## the numbers of docs/answer.md and README.md against the tables
	$(CARGO) test --locked --test paper

docs: build      ## the page of all schedules and its picture
	$(LRSCOUT) schedules list --format markdown > docs/schedules.md
	$(LRSCOUT) schedules list --library all --format markdown > docs/libraries.md
	$(LRSCOUT) schedules plot --steps 200 > docs/schedules.svg

bench: build     ## microseconds a training step, per workload; single kernels
	$(LRSCOUT) bench benches/peers.toml
	$(LRSCOUT) bench --kernels

build:           ## the release binary
	$(CARGO) build --locked --release
