# Each target sets itself up in a local .venv and needs nothing but Python (with venv), a C++20 compiler and make.
VENV := .venv
BIN := $(VENV)/bin
# Models and sample photographs stay in the checkout, so that nothing depends on the home folder.
export FACEWIRE_MODELS__CACHE_DIR ?= $(CURDIR)/.cache/facewire
PIP := $(BIN)/pip --disable-pip-version-check --quiet
NATIVE := CMakeLists.txt $(shell find csrc/core csrc/kernels csrc/bindings -type f)

.PHONY: help demo test lab-test lab-demo check arm64-check old-cpu-check image-check soak load bench curves bench-check format generate clean

help: ## Show this list
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(VENV)/.server ## Enrol and identify sample photographs on a server of its own
	@$(BIN)/facewire demo

test: $(VENV)/.test $(VENV)-triton/.ready ## Run the whole test suite: C++ under sanitizers, then Python
	@scripts/native-check.sh
	@FACEWIRE_TRITON_PYTHON=$(VENV)-triton/bin/python $(BIN)/pytest

lab-test: $(VENV)/.lab ## Install PyTorch and test training (a CPU build is enough: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu)
	@$(BIN)/pytest tests/lab

lab-demo: $(VENV)/.lab ## Train all five families small, export, serve and use them: FOLDER (lab-demo-output) gets a contact sheet
	@scripts/lab_demo.sh $(or $(FOLDER),lab-demo-output)

check: $(VENV)/.check ## Format, lint, types, proto, generated code
	@scripts/check.sh

arm64-check: $(VENV)/.test ## Build for arm64 and run the C++ tests under qemu
	@scripts/arm64-check.sh

old-cpu-check: $(VENV)/.test ## Run the C++ tests on an emulated processor without AVX
	@scripts/old-cpu-check.sh

image-check: $(VENV)/.server ## Build the container image, run it, enrol and identify
	@scripts/image-check.sh

soak: $(VENV)/.test ## Streams opened, cancelled and resumed at random for MINUTES (20)
	@$(BIN)/python -m tests.load.soak --minutes $(or $(MINUTES),20)

load: $(VENV)/.test ## Streams at twice what this machine can do for SECONDS (60)
	@$(BIN)/python -m tests.load.fair_shares --seconds $(or $(SECONDS),60)

bench: $(VENV)-bench/.ready ## Measure against the peers, all rows (15 minutes): bench-output/bench.{json,md,png}
	@$(VENV)-bench/bin/python -m tests.bench $(ARGS)

curves: $(VENV)-bench/.ready ## Cost as work grows: docs/pictures/*.png, bench-output/curves.json
	@$(VENV)-bench/bin/python -m tests.bench.curves $(ARGS)

bench-check: $(VENV)/.test ## Compare instruction counts and ratios of the kernels with the committed baseline
	@$(BIN)/python -m tests.bench.check $(ARGS)

format: $(VENV)/.check ## Format Python and C++
	@$(BIN)/ruff format && $(BIN)/ruff check --fix && $(BIN)/clang-format -i $$(git ls-files '*.cpp' '*.hpp' '*.inl')

generate: ## Write the generated code of proto/ anew
	@scripts/generate.sh

clean: ## Remove what the other targets made
	rm -rf $(VENV) $(VENV)-bench $(VENV)-triton $(VENV)-proto .cache build demo-output bench-output lab-demo-output

$(VENV)/.venv:
	@echo "setting up $(VENV) ..."
	@python3 -m venv $(VENV)
	@$(PIP) install --upgrade pip
	@touch $@

$(VENV)/.server: $(VENV)/.venv pyproject.toml $(NATIVE)
	@echo "building and installing facewire (a minute or two the first time) ..."
	@$(PIP) install --editable '.[server,video,eval]'
	@touch $@

# Apart: none of the peers that are measured is a dependency.
$(VENV)-bench/.ready: pyproject.toml $(NATIVE)
	@echo "setting up $(VENV)-bench ..."
	@python3 -m venv $(VENV)-bench
	@$(VENV)-bench/bin/pip install --disable-pip-version-check --quiet --upgrade pip
	@$(VENV)-bench/bin/pip install --disable-pip-version-check --quiet --editable '.[server,video]'
	@$(VENV)-bench/bin/pip install --disable-pip-version-check --quiet --group bench
	@touch $@

$(VENV)/.lab: $(VENV)/.test
	@echo "installing PyTorch ..."
	@$(PIP) install --group lab
	@touch $@

$(VENV)/.test: $(VENV)/.server
	@$(PIP) install --group test
	@touch $@

$(VENV)/.check: $(VENV)/.test
	@$(PIP) install --group check
	@touch $@

# Apart: tritonclient wants an older protobuf than the server's health service does.
$(VENV)-triton/.ready:
	@python3 -m venv $(VENV)-triton
	@$(VENV)-triton/bin/pip install --disable-pip-version-check --quiet 'tritonclient[grpc]==2.73.0'
	@touch $@
