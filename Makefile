# SPDX-License-Identifier: Apache-2.0
# A thin front for CMake and the program. Variables: BUILD (folder), TYPE (Release, Debug, RelWithDebInfo), CMAKE_FLAGS,
# TEST_FLAGS (for ctest), JOBS, and INSTALL=no to leave the system as it is.
BUILD ?= build
TYPE ?= Release
CMAKE_FLAGS ?=
TEST_FLAGS ?=
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
INSTALL ?= yes

TRIBUTARY = $(BUILD)/tributary
# The sources have the layout of version 14.
CLANG_FORMAT ?= $(or $(shell command -v clang-format-14),clang-format)
SOURCES = $(shell find host kernels models runtime tests benches -name '*.[ch]' -o -name '*.cc' -o -name '*.cu' -o -name '*.cuh')

.PHONY: help dependencies build demo test test-all rewrite-exact coverage bench gpu-check gpu-bundle docs format check-format clean
help:
	@echo "make demo     install what is missing, build, classify 20 samples, evaluate on 10,000 images"
	@echo "make build    build into $(BUILD)/"
	@echo "make test     build, and run the tests, with long ones in a short form"
	@echo "make test-all build, and run all tests in full, which takes an hour"
	@echo "make coverage which lines and branches the tests run, per folder (gcc); fails where too few"
	@echo "make rewrite-exact   what the program prints now is what its tests expect from here on"
	@echo "make bench    throughput and latency of GoogLeNet on this machine"
	@echo "make gpu-check DIR=REPORT   on a GPU machine: tests, compute-sanitizer, benchmarks, peers; GPU_FLAGS=--help"
	@echo "make gpu-bundle             packs build-gpu/ for a GPU machine without network and compilers; GPU_FLAGS='--arch 90'"
	@echo "make docs     the reference of the C API, as HTML in $(BUILD)/reference/"
	@echo "make format   format all sources (make check-format only looks)"
	@echo "make clean    remove $(BUILD)/"

GROUPS_NEEDED = build
dependencies:
ifeq ($(INSTALL),yes)
	@docker/install-dependencies.sh $(GROUPS_NEEDED)
endif

build: dependencies
	@cmake -S . -B $(BUILD) $(if $(wildcard $(BUILD)/CMakeCache.txt),,$(if $(shell command -v ninja),-G Ninja)) \
		-DCMAKE_BUILD_TYPE=$(TYPE) -DBUILD_TESTING=$(TESTING) -DTRIB_ONE_ARCHITECTURE=$(TESTING) $(CMAKE_FLAGS)
	@cmake --build $(BUILD) --parallel $(JOBS)

# The tests are built only on request, so that a demo needs no GoogleTest; with them, CUDA kernels for one GPU.
TESTING = $(if $(filter test test-all rewrite-exact,$(MAKECMDGOALS)),ON,OFF)

demo: GROUPS_NEEDED = build demo
demo: build
	@models/pretrained/demo.sh $(TRIBUTARY)

CTEST = ctest --test-dir $(BUILD) --parallel $(JOBS) --output-on-failure --no-tests=error
test test-all: GROUPS_NEEDED = build test
test: build
	@$(CTEST) --label-exclude '^long$$' $(TEST_FLAGS)
# The library and the program are compiled anew, to count what runs; tests that compile against the library cannot link it.
coverage: GROUPS_NEEDED = build test
coverage: dependencies
	@cmake -S . -B build-coverage $(if $(wildcard build-coverage/CMakeCache.txt),,$(if $(shell command -v ninja),-G Ninja)) \
		-DCMAKE_BUILD_TYPE=Release -DCMAKE_C_COMPILER=gcc -DCMAKE_CXX_COMPILER=g++ "-DCMAKE_C_FLAGS_RELEASE=-O0 --coverage" \
		-DCMAKE_EXE_LINKER_FLAGS=--coverage -DCMAKE_SHARED_LINKER_FLAGS=--coverage -DTRIB_ONE_ARCHITECTURE=ON $(CMAKE_FLAGS)
	@cmake --build build-coverage --parallel $(JOBS)
	@find build-coverage -name '*.gcda' -delete
	@ctest --test-dir build-coverage --parallel $(JOBS) --output-on-failure --label-exclude '^(long|package|gpu_check)$$' $(TEST_FLAGS)
	@tests/coverage.py build-coverage
# What the program prints now, and what the model in models/pretrained makes of images, becomes what
# tests/cli/cases/exact expects.
rewrite-exact: GROUPS_NEEDED = build test
rewrite-exact: build
	@TRIB_REWRITE_EXACT=1 $(CTEST) --tests-regex '^cli.(exact|classify|demo|eval_boxes)$$'
	@git --no-pager diff --stat -- tests/cli/cases/exact
test-all: build
	@TRIB_TEST_LONG=1 $(CTEST) $(TEST_FLAGS)

bench: build
	$(TRIBUTARY) bench --arch torchvision -b 1,32
	@echo "Side by side with ONNX Runtime, OpenVINO and PyTorch: see benches/peers/"

# What they do and their options: tests/gpu/gpu_check.sh --help, tests/gpu/bundle.sh --help.
DIR ?= gpu-report
gpu-check:
	@tests/gpu/gpu_check.sh --out "$(DIR)" $(GPU_FLAGS)
gpu-bundle:
	@CMAKE_FLAGS="$(CMAKE_FLAGS)" tests/gpu/bundle.sh $(GPU_FLAGS)

docs: GROUPS_NEEDED = docs
docs: dependencies
	@host/reference/make_reference.sh $(BUILD)/reference
	@echo "The reference: $(BUILD)/reference/html/index.html"

format:
	@$(CLANG_FORMAT) -i $(SOURCES)
check-format:
	@$(CLANG_FORMAT) --dry-run -Werror $(SOURCES)

clean:
	cmake -E rm -rf $(BUILD)
