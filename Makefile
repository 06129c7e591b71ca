# make demo | test are all that a newcomer needs; each installs and builds what it uses.
PYTHON := .venv/bin/python
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 120

.PHONY: help deps build wheel install demo test test-generated test-filters test-scans test-histories test-large test-writers test-faults test-models lint asan fuzz bench bench-micro clean

help:
	@echo "make demo   install, build, and turn a folder of images into a searchable lake"
	@echo "make test   install, build, and run every test"
	@echo "make test-generated   read and write thousands of random Lance files; CASES=5000 SEED=100000"
	@echo "make test-faults   thousands of random rounds of a lake whose store, disk, writers fail; ROUNDS=10000 SEED=1000"
	@echo "make test-models   encoders of large packages, which it installs, with random weights"
	@echo "make test-training   PyTorch, TensorFlow and Ray, which it installs in build/training"
	@echo "make test-filters   try thousands of random filters against DuckDB and pylance; FILTERS=20000 SEED=100000"
	@echo "make test-scans   try thousands of random scans and takes against pylance; SCANS=20000 SEED=100000"
	@echo "make test-histories  try thousands of random histories of Lance tables against a plain model; ROUNDS=1000 SEED=0"
	@echo "make test-writers  16 processes change one Lance table until it has 1,000 versions; PROCESSES=16 VERSIONS=1000"
	@echo "make build  the library, the tests and the Python package (in .venv)"
	@echo "make wheel  the Python package as a wheel in build/wheel (docs/guide/installing.md)"
	@echo "make install   the C++ library and its headers to PREFIX (/usr/local), for find_package(tusk); see examples/"
	@echo "make lint   include order, clang-format, clang-tidy"
	@echo "make asan   the C++ tests under the address and undefined-behaviour sanitizers"
	@echo "make fuzz   every fuzzer for FUZZ_SECONDS (120) each, one at a time"
	@echo "make bench  measure against pylance, Parquet, Feather and Vortex, and every codec (bench/README.md);"
	@echo "            BENCH='--scale 0.1 --only take' passes options, bench-micro runs the codecs alone"
	@echo "make clean  remove build/"

deps: build/deps.stamp

build/deps.stamp: tools/deps.sh tools/requirements.txt
	tools/deps.sh
	@mkdir -p build && touch $@

build: deps
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS)
	tools/install_python.sh

# Packs what build/release has; nothing is compiled twice.
wheel: build
	tools/build_wheel.sh build/wheel
	TUSK_WHEEL=build/wheel $(PYTHON) -m pytest -q tests/python/test_wheel.py

# The library and its headers for C++ programs, which find it by find_package(tusk); no Python.
PREFIX ?= /usr/local
install: deps
	cmake --preset release
	cmake --build --preset release --parallel $(JOBS) --target tusk
	cmake --install build/release --component cpp --prefix $(PREFIX)

demo: build
	$(PYTHON) tools/demo.py

test: build
	tools/check_includes.py
	ctest --preset release --parallel $(JOBS)
	$(PYTHON) -m pytest -q tests

# Other files than those of `make test`, which begin at seed 0.
CASES ?= 5000
SEED ?= 100000
test-generated: build
	$(PYTHON) -m pytest -q tests/interop/test_generated_files.py tests/interop/test_written_files.py \
	  -k "random_file or random_written_file" --cases $(CASES) --seed $(SEED)

# Other rounds than those of `make test`, which begin at seed 0.
ROUNDS ?= 10000
test-faults: SEED = 1000
test-faults: build
	TUSK_FAULT_ROUNDS=$(ROUNDS) TUSK_FAULT_SEED=$(SEED) build/release/tests/fault/lake_fault_test \
	  --gtest_filter='RandomRoundsTest.*'

# Installs torch, open_clip and Whisper: gigabytes.
test-models: build
	$(PYTHON) -m pip install --quiet --disable-pip-version-check open_clip_torch openai-whisper onnxruntime onnx
	TUSK_TEST_MODELS=1 $(PYTHON) -m pytest -q tests/python/test_model_encoders.py tests/python/test_ingest.py

# Gigabytes, in an environment of their own, which sees what is in .venv.
test-training: build build/training.stamp
	TUSK_TEST_TRAINING=1 build/training/bin/python -m pytest -q tests/python/test_torch.py \
	  tests/python/test_torch_vectors.py tests/python/test_tensorflow.py tests/python/test_ray.py

build/training.stamp: tools/training_environment.sh
	tools/training_environment.sh build/training torch tensorflow-cpu 'ray[data]' tqdm
	touch $@

# Other conditions than those of `make test`, against DuckDB and pylance.
FILTERS ?= 20000
test-filters: build
	$(PYTHON) -m pytest -q tests/interop/test_random_filters.py --filters $(FILTERS) --seed $(SEED)

# Other scans and takes than those of `make test`, against pylance.
SCANS ?= 20000
test-scans: build
	$(PYTHON) -m pytest -q tests/interop/test_random_scans.py --scans $(SCANS) --seed $(SEED)

# Several GB on the disk of the temporary folder.
test-large: build
	TUSK_TEST_LARGE=1 $(PYTHON) -m pytest -q tests/python/test_large_blobs.py

test-histories: ROUNDS = 1000
test-histories: SEED = 0
test-histories: build
	$(PYTHON) tests/interop/table_model.py --rounds $(ROUNDS) --seed $(SEED)

PROCESSES ?= 16
VERSIONS ?= 1000
test-writers: SEED = 0
test-writers: build
	$(PYTHON) tests/interop/many_writers.py --processes $(PROCESSES) --versions $(VERSIONS) --seed $(SEED)

asan: deps
	cmake --preset asan
	cmake --build --preset asan --parallel $(JOBS)
	ctest --preset asan --parallel $(JOBS)

fuzz: deps
	tools/deps.sh fuzz
	cmake --preset fuzz
	cmake --build --preset fuzz --parallel $(JOBS)
	tools/fuzz.sh $(FUZZ_SECONDS)

lint: deps
	tools/deps.sh lint
	tools/lint.sh

bench: build bench-micro
	tools/deps.sh bench
	$(PYTHON) bench/run.py $(BENCH)

bench-micro: deps
	cmake --preset bench
	cmake --build --preset bench --parallel $(JOBS) --target tusk_benchmarks
	set -e; for benchmark in build/bench/benchmarks/*; do echo "$$benchmark"; "$$benchmark"; done

clean:
	rm -rf build
